"""NumPy's word on npy and npz.

    npy_check.py write FOLDER    writes arrays of many types, orders and shapes
    npy_check.py read FILE       prints what an npy or npz file holds
"""
import sys

import numpy as np


def write(folder):
    base = np.arange(6).reshape(2, 3)
    for code in "b1 i1 u1 i2 u2 i4 u4 i8 u8 f2 f4 f8".split():
        for order in "<>":
            array = (base % 2 if code == "b1" else base).astype(order + code)
            name = ("le_" if order == "<" else "be_") + code
            np.save(f"{folder}/{name}.npy", array)
    np.save(f"{folder}/fortran.npy", np.asfortranarray(np.arange(24, dtype="<f4").reshape(2, 3, 4)))
    np.save(f"{folder}/scalar.npy", np.float64(2.5))
    np.save(f"{folder}/empty.npy", np.zeros((0, 3), "<f4"))
    np.save(f"{folder}/object.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(f"{folder}/record.npy", np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")]))
    np.savez(f"{folder}/plain.npz", x=base.astype("<f4"), y=np.arange(3))
    np.savez_compressed(f"{folder}/packed.npz", x=base.astype("<f4"), zeros=np.zeros(100000, "<f4"))
    np.savez_compressed(f"{folder}/trap.npz", zeros=np.zeros(300 << 20, "|i1"))


def show(name, array):
    print(name, array.dtype.str, array.shape, array.tolist() if array.dtype.kind != "V" else array.tobytes().hex())


def read(path):
    loaded = np.load(path)
    if hasattr(loaded, "files"):
        for name in loaded.files:
            show(name, loaded[name])
    else:
        show("array", loaded)


{"read": read, "write": write}[sys.argv[1]](sys.argv[2])
