#!/usr/bin/env python3
"""What ptxas makes of the kernels for CUDA: registers, spills, shared memory, access widths, and how many threads a
multiprocessor then holds. Needs ptxas; cuobjdump, where it is there, shows the accesses of the machine code. No packages.

    ci/occupancy.py [FILES [PATTERN]]   a table in Markdown of the kernels in those files of kernels/ptx whose names, to the first dot,
                                        FILES matches as a whole (default: softmax), and whose own names PATTERN is found in

Dynamic shared memory is a launch's, not a kernel's: the table gives the threads that registers leave room for.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kernels", "ptx")
# Of a multiprocessor: threads, blocks; registers are 65536 on both.
LIMITS = {"sm_80": (2048, 32), "sm_90": (2048, 32)}


def tool(name):
    found = shutil.which(name)
    if found:
        return found
    dry = subprocess.run(["nvcc", "--dryrun", "-ptx", "-x", "cu", os.devnull], capture_output=True, text=True)
    here = re.search(r"^#\$ _HERE_=(.*)$", dry.stderr, re.M)
    path = os.path.join(here.group(1), name) if here else name
    return path if os.path.exists(path) else None


def compiled(path, arch, work):
    """Kernel -> registers, bytes spilled, bytes of its own shared memory, widths of accesses in machine code."""
    cubin = os.path.join(work, "cubin")
    log = subprocess.run([tool("ptxas"), "-v", "-arch=" + arch, "-o", cubin, path], capture_output=True, text=True)
    if log.returncode:
        sys.exit(log.stderr)
    found, name, spills = {}, None, 0
    for line in log.stderr.splitlines():
        if match := re.search(r"Compiling entry function '(\w+)'", line):
            name = match.group(1)
        if match := re.search(r"(\d+) bytes spill stores, (\d+) bytes spill loads", line):
            spills = int(match.group(1)) + int(match.group(2))
        if match := re.search(r"Used (\d+) registers", line):
            shared = re.search(r"(\d+) bytes smem", line)
            found[name] = [int(match.group(1)), spills, int(shared.group(1)) if shared else 0, None]
    if tool("cuobjdump"):
        text = subprocess.run([tool("cuobjdump"), "-sass", cubin], capture_output=True, text=True).stdout
        for part in text.split("Function : ")[1:]:
            name = part.split(None, 1)[0]
            if name in found:
                found[name][3] = machine(part)
    return found


def machine(text):
    return {kind: [len(re.findall(r"\b" + kind + r"[.A-Z0-9]*\.128\b", text)), len(re.findall(r"\b" + kind + r"\b", text))]
            for kind in ("LDG", "STG")}


def assembly(path):
    """Kernel -> how many of its reads and writes of global memory are of 16 bytes, and how many there are."""
    found = {}
    for part in re.split(r"(?=\.visible \.entry )", open(path).read())[1:]:
        name = re.match(r"\.visible \.entry (\w+)", part).group(1)
        found[name] = [len(re.findall(pattern, part)) for pattern in (
            r"ld\.global\S*\.v(?:4\.\w32|2\.\w64)", r"ld\.global", r"st\.global\S*\.v(?:4\.\w32|2\.\w64)", r"st\.global")]
    return found


def options(name):
    """Word -> value of what a kernel's name says after the file's and its own."""
    return dict(re.fullmatch(r"([A-Z0-9]+)_?(.*)", word).groups() for word in name.split("__")[2:])


def blocks():
    """Kernel -> threads of a block."""
    with open(os.path.join(FOLDER, "..", "catalog.tsv")) as lines:
        return {line.split("\t")[0]: int(line.split("\t")[3]) for line in lines}


def threads(arch, block, registers):
    most, blocks = LIMITS[arch]
    # Registers are given to warps in pieces of 256.
    warps = 65536 // ((registers * 32 + 255) // 256 * 256) // 4 * 4
    return min(most // block, blocks, warps * 32 // block) * block


def main():
    files = re.compile(sys.argv[1] if len(sys.argv) > 1 else "softmax")
    pattern = re.compile(sys.argv[2] if len(sys.argv) > 2 else ".")
    block, rows = blocks(), {}
    with tempfile.TemporaryDirectory() as work:
        for file in sorted(os.listdir(FOLDER)):
            if not files.fullmatch(file.split(".")[0]):
                continue
            path = os.path.join(FOLDER, file)
            accesses = assembly(path)
            for arch in LIMITS:
                if "sm_90" in file and arch != "sm_90":
                    continue
                for name, what in compiled(path, arch, work).items():
                    if pattern.search(name):
                        rows.setdefault(name, {"ptx": accesses[name]})[arch] = what
    print("| kernel | types | form | ", " | ".join("registers %s | threads %s" % (a, a) for a in LIMITS),
          " | spills | own shared | 16-byte of all loads, stores in PTX | in SASS sm_90 |", sep="")
    print("|---" * 11 + "|")
    for name in sorted(rows):
        row, words = rows[name], options(name)
        form = " ".join((word + " " + words[word]).strip() for word in words if word not in "TU")
        types = words.get("T", "") + (" to " + words["U"] if words.get("U", words.get("T")) != words.get("T") else "")
        cells = [name.split("__")[1], types, form]
        for arch in LIMITS:
            cells += [row[arch][0], threads(arch, block[name], row[arch][0])] if arch in row else ["", ""]
        loads, all_loads, stores, all_stores = row["ptx"]
        sass = row["sm_90"][3]
        cells += [sum(row[arch][1] for arch in LIMITS if arch in row), row["sm_90"][2],
                  "%d of %d, %d of %d" % (loads, all_loads, stores, all_stores),
                  "%d of %d, %d of %d" % (*sass["LDG"], *sass["STG"]) if sass else ""]
        print("| " + " | ".join(str(cell) for cell in cells) + " |")


if __name__ == "__main__":
    main()
