"""Draws peers.svg from the peers.tsv that org.tenon.bench.PeersBench wrote: python3 peers.py FOLDER. Bars are PyTorch's times and
the copy's by Tenon's, on a logarithmic axis: to the right of 1 Tenon is the faster."""

import pathlib
import sys

NAMES = {"copy": "copy", "torch": "PyTorch", "torch out": "PyTorch out"}


def main():
    folder = pathlib.Path(sys.argv[1])
    cases = {}
    for line in (folder / "peers.tsv").read_text().splitlines():
        case, name, nanos = line.split("\t")
        cases.setdefault(case, {})[name] = float(nanos)
    try:
        import matplotlib

        matplotlib.use("svg")
        from matplotlib import pyplot
    except ImportError:
        print("there is no matplotlib: peers.svg is not drawn", file=sys.stderr)
        return
    figure, at = pyplot.subplots(figsize=(9, 1 + 0.5 * len(cases)))
    for i, (name, label) in enumerate(NAMES.items()):
        bars = [(k + 0.25 * (i - 1), times[name] / times["tenon"]) for k, times in enumerate(cases.values()) if name in times]
        if bars:
            at.barh([y for y, _ in bars], [ratio for _, ratio in bars], height=0.25, label=label)
    at.axvline(1, color="black", linewidth=0.8)
    at.set_xscale("log")
    at.set_xlabel("time by Tenon's")
    at.set_yticks(range(len(cases)), list(cases))
    at.invert_yaxis()
    at.legend()
    figure.tight_layout()
    figure.savefig(folder / "peers.svg")


if __name__ == "__main__":
    main()
