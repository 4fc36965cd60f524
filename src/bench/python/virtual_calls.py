#!/usr/bin/env python3
"""Lists the calls that HotSpot's C2 left virtual in methods of org.tenon, from logs that a JVM writes with

    -XX:+UnlockDiagnosticVMOptions -XX:+LogCompilation -XX:LogFile=FOLDER/jvm_%p.log

(in JAVA_TOOL_OPTIONS for a run of Maven). Usage: virtual_calls.py LOG...

Each line: how often, the method that was compiled, the methods that became part of it on the way to the call, what is called, and
"not counted" where the compiler had no profile of the call. In a loop of vectors each such call makes objects of its vectors, and the
loop takes four times as long or more (ci/decisions/040-short-methods.md).
"""
import collections
import re
import sys


def virtual_calls(lines):
    names, stack, method, called = {}, [], None, ("", "")
    for line in lines:
        line = line.lstrip()
        if line.startswith("<task "):
            task = re.search(r"method='(org\.tenon\S*) (\S+)", line)
            # C1's tasks name a level.
            method = task and " level='" not in line and task[1].split(".")[-1] + "." + task[2]
            names, stack = {}, []
        elif not method:
            continue
        elif line.startswith("<method "):
            names[re.search(r" id='(\d+)'", line)[1]] = re.search(r" name='([^']*)'", line)[1]
        elif line.startswith("<parse "):
            stack.append(names.get(re.search(r"method='(\d+)'", line)[1], "?"))
        elif line.startswith("</parse>") and stack:
            stack.pop()
        elif line.startswith("<call "):
            called = names.get(re.search(r"method='(\d+)'", line)[1], "?"), re.search(r" count='(-?\d+)'", line)[1]
        elif line.startswith("<inline_fail reason='virtual call'"):
            yield method, " > ".join(stack[1:]), called[0], "not counted" if called[1] == "-1" else ""


def main(paths):
    found = collections.Counter()
    for path in paths:
        with open(path, errors="replace") as lines:
            found.update(virtual_calls(lines))
    for (method, within, called, counted), times in found.most_common():
        print(times, method, within and f"({within})", called, counted)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
