"""Draws peers.svg from the peers.tsv that org.tenon.bench.PeersBench wrote: python3 peers.py FOLDER. Bars are the times of the copy
and of other libraries by Tenon's, on a logarithmic axis: to the right of 1 Tenon is the faster."""

import pathlib
import sys

NAMES = {"copy": "copy", "torch": "PyTorch", "torch out": "PyTorch out", "nd4j": "ND4J", "djl": "DJL"}


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
    shown = [name for name in NAMES if any(name in times for times in cases.values())]
    figure, at = pyplot.subplots(figsize=(9, 1 + 0.17 * len(shown) * len(cases)))
    height = 0.8 / max(1, len(shown))
    for i, name in enumerate(shown):
        bars = [(k + height * (i - (len(shown) - 1) / 2), times[name] / times["tenon"]) for k, times in enumerate(cases.values()) if name in times]
        at.barh([y for y, _ in bars], [ratio for _, ratio in bars], height=height, label=NAMES[name])
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
