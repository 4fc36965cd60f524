"""Reads and writes safetensors by its specification, with nothing but Python's own library.

    safetensors_by_hand.py read FILE     prints each tensor: name, dtype, shape, data as hexadecimal digits
    safetensors_by_hand.py write FILE    writes the tensors that SafetensorsTest expects
"""
import json
import struct
import sys

WIDTH = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "BOOL": 1}


def read(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        text = file.read(length)
        data = file.read()
    assert text[:1] == b"{" and length % 8 == 0
    pairs = json.loads(text.decode("utf-8"), object_pairs_hook=list)
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names)
    header = {name: dict(value) for name, value in pairs}
    metadata = header.pop("__metadata__", {})
    assert all(isinstance(value, str) for value in metadata.values())
    at = 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        count = 1
        for size in entry["shape"]:
            count *= size
        assert begin == at and end - begin == count * WIDTH[entry["dtype"]], name
        at = end
        print(name, entry["dtype"], entry["shape"], data[begin:end].hex())
    assert at == len(data)
    for name, value in sorted(metadata.items()):
        if name != "tenon.crc32c":
            print("text", name, value)


def write(path):
    parts = {
        "w": ("F32", [2, 2], struct.pack("<4f", 1.5, -2, float("inf"), 0)),
        "half": ("F16", [3], struct.pack("<3e", 1, 65504, -0.5)),
        "brain": ("BF16", [1, 2], struct.pack("<2H", 0x3F80, 0xC040)),
        "wide": ("F64", [], struct.pack("<d", 0.1)),
        "index": ("I64", [2], struct.pack("<2q", -1, 1 << 40)),
        "small": ("I32", [1], struct.pack("<i", -7)),
        "mask": ("BOOL", [3], bytes([1, 0, 1])),
        "none": ("F32", [0, 4], b""),
    }
    header, data = {"__metadata__": {"format": "pt", "gr\u00fc\u00df": "\u00e4"}}, b""
    for name, (dtype, shape, raw) in parts.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode("utf-8")
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


{"read": read, "write": write}[sys.argv[1]](sys.argv[2])
