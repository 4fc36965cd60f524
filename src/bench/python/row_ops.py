"""Ops along rows, and attention, on one NVIDIA GPU in one run: Tenon's, a copy of the same bytes, PyTorch eager, torch.compile and a Triton kernel,
shape by shape, one after another. Attention is causal, forward, and forward and backward. Writes row_ops.md, row_ops.tsv and, where matplotlib is there, row_ops.svg.

    python3 row_ops.py [--device cuda:0] [--mega 256] [--samples 15] [--out FOLDER] [--ops OP,...] [--types TYPE,...]
                       [--lengths N,...] [--sequences N,...] [--tokens 16384] -- JAVA [FLAG...]

JAVA [FLAG...] is the command that starts org.tenon.bench.RowsBench, without the class's name. A tensor has --mega MB or more, and four
of each are taken in turn. A peer that is absent has a dash. Ratios: a copy's time for the bytes that must move, by the time taken.
For attention there are --tokens in all, of 2048 numbers each, and the table has TFLOP/s of the products that causality leaves.
"""

import argparse
import math
import pathlib
import statistics
import subprocess
import sys

LENGTHS = [10, 64, 128, 256, 1024, 2048, 4096, 8192, 16384, 32768, 50257, 65536, 128256, 262144]
SEQUENCES = [512, 1024, 2048, 4096, 8192]
HEADS = [64, 128]
WIDTH = 2048
INNER = [(64, 256), (1024, 64), (4096, 32)]
# Reductions of tall matrices too, as the gradient of a bias is one.
TALL = [*INNER, (16384, 768), (65536, 10)]
DTYPES = {"float32": 4, "float16": 2, "bfloat16": 2}
BUFFERS = 4
# What must move, in tensors: read and written.
MOVES = {
    "logSoftmaxForward": 2,
    "logSoftmaxBackward": 3,
    "softmaxForward": 2,
    "softmaxBackward": 3,
    "crossEntropy": 3,
    "layerNormForward": 2,
    "layerNormBackward": 3,
    "klDiv": 4,
    "sum": 1,
    "max": 1,
}
# The products of attention, each of two operations for a query, a key and a number of a head: two forward and five backward.
PRODUCTS = {"attentionForward": 2, "attention": 7}
OPS = [*MOVES, *PRODUCTS]
PEERS = ["eager", "compile", "triton"]


class Tenon:
    """A benchmark in Java, which answers each line with one."""

    def __init__(self, command, *words):
        self.process = subprocess.Popen(
            [*command, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for line in self.process.stdout:
            if line.startswith("ready "):
                self.description = line[6:].strip()
                return
        raise SystemExit("the benchmark in Java did not start; its reason is above")

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"the benchmark in Java ended at {line}")
        return answer.strip()

    def time(self, op, dtype, outer, length, inner):
        return float(self.ask(f"{op} {dtype} {outer} {length} {inner} {BUFFERS}"))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Peers:
    """PyTorch's answers to the same questions, None where there is none."""

    def __init__(self, device, samples):
        self.samples = samples
        self.torch = self.triton = None
        self.description = "no PyTorch"
        if not device.startswith("cuda"):
            return
        try:
            import torch
        except ImportError as error:
            self.description = f"no PyTorch: {error}"
            return
        if not torch.cuda.is_available():
            self.description = f"PyTorch {torch.__version__} sees no GPU"
            return
        self.torch = torch
        self.description = f"PyTorch {torch.__version__}, CUDA {torch.version.cuda}, {torch.cuda.get_device_name(0)}"
        try:
            import row_ops_triton

            self.triton = row_ops_triton
        except ImportError as error:
            self.description += f", no Triton: {error}"

    def times(self, op, dtype, outer, length, inner):
        if self.torch is None:
            return {}
        torch = self.torch
        kind = getattr(torch, dtype)
        if op in PRODUCTS:
            calls = {peer: lambda peer=peer: self.attention(peer, op, kind, (1, outer, length, inner)) for peer in PEERS}
            return self.answers(f"{op} of {dtype} [{outer}, {length}, {inner}]", calls)
        shape = (outer, length, inner) if inner > 1 else (outer, length)
        x = [torch.randn(shape, device="cuda", dtype=kind) for _ in range(BUFFERS)]
        g = [torch.randn(shape, device="cuda", dtype=kind) for _ in range(BUFFERS)] if op.endswith("Backward") else x
        calls = {peer: lambda peer=peer: self.call(peer, op, x, g, length) for peer in PEERS}
        return self.answers(f"{op} of {dtype} {shape}", calls)

    def answers(self, what, calls):
        """The times of those calls, each made by its function, that there are."""
        found = {}
        for peer, make in calls.items():
            try:
                call = make()
                if call is not None:
                    found[peer] = self.median(call)
            except Exception as error:  # a peer that cannot is told, and the others go on
                print(f"{peer} fails at {what}: {error}", file=sys.stderr)
            call = None
            self.torch.cuda.empty_cache()
        return found

    def attention(self, peer, op, kind, shape):
        torch = self.torch
        make = lambda grad: torch.randn(shape, device="cuda", dtype=kind, requires_grad=grad)
        if peer == "triton":
            return None
        inputs = [[make(op == "attention") for _ in range(3)] for _ in range(BUFFERS)]
        function = torch.nn.functional.scaled_dot_product_attention
        if peer == "compile":
            torch._dynamo.reset()
            function = torch.compile(function)
        if op == "attentionForward":
            return lambda i: function(*inputs[i % BUFFERS], is_causal=True)
        ones = torch.ones(shape, device="cuda", dtype=kind)

        def call(i):
            for leaf in inputs[i % BUFFERS]:
                leaf.grad = None
            function(*inputs[i % BUFFERS], is_causal=True).backward(ones)

        return call

    def call(self, peer, op, x, g, length):
        torch = self.torch
        if peer == "triton":
            return None if self.triton is None else self.triton.call(op, x, g)
        if op == "crossEntropy":
            return self.cross_entropy(x, length, peer)
        if op == "klDiv":
            return self.kl_div(x, peer)
        function = self.function(op, x[0], length)
        if peer == "compile":
            torch._dynamo.reset()
            function = torch.compile(function)
        return lambda i: function(g[i % BUFFERS], x[i % BUFFERS])

    def function(self, op, like, length):
        torch = self.torch
        weight, bias = (f(length, device=like.device, dtype=like.dtype) for f in (torch.ones, torch.zeros))

        def norm_backward(g, x):
            mean = x.float().mean(1, keepdim=True)
            scale = torch.rsqrt(x.float().var(1, unbiased=False, keepdim=True) + 1e-5)
            return torch.ops.aten.native_layer_norm_backward(
                g, x, [length], mean, scale, weight, bias, [True, True, True]
            )

        return {
            "logSoftmaxForward": lambda g, x: torch.log_softmax(x, 1),
            "softmaxForward": lambda g, x: torch.softmax(x, 1),
            "logSoftmaxBackward": lambda g, y: torch.ops.aten._log_softmax_backward_data(g, y, 1, y.dtype),
            "softmaxBackward": lambda g, y: torch.ops.aten._softmax_backward_data(g, y, 1, y.dtype),
            "layerNormForward": lambda g, x: torch.nn.functional.layer_norm(x, [length], weight, bias),
            "layerNormBackward": norm_backward,
            "sum": lambda g, x: torch.sum(x, 1),
            "max": lambda g, x: torch.amax(x, 1),
        }[op]

    def cross_entropy(self, x, length, peer):
        target = self.torch.randint(0, length, (x[0].shape[0],), device=x[0].device)
        return self.both_ways(peer, self.torch.nn.functional.cross_entropy, x, [target])

    def kl_div(self, x, peer):
        torch = self.torch
        logs = [torch.log_softmax(torch.randn_like(each), 1) for each in x]
        targets = [torch.log_softmax(each, 1) for each in x]
        return self.both_ways(peer, torch.nn.functional.kl_div, logs, targets, reduction="batchmean", log_target=True)

    def both_ways(self, peer, loss, x, targets, **options):
        """A loss and its gradient."""
        leaves = [each.requires_grad_() for each in x]
        if peer == "compile":
            self.torch._dynamo.reset()
            loss = self.torch.compile(loss)

        def call(i):
            leaf = leaves[i % BUFFERS]
            leaf.grad = None
            loss(leaf, targets[i % len(targets)], **options).backward()

        return call

    def median(self, call):
        """Milliseconds of call(i), i counting up, by CUDA events."""
        torch = self.torch

        def sample(batch):
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            torch.cuda.synchronize()
            start.record()
            for i in range(batch):
                call(i)
            end.record()
            torch.cuda.synchronize()
            return start.elapsed_time(end)

        sample(1)
        batch = 1
        while sample(batch) < 5:
            batch *= 2
        return statistics.median(sample(batch) for _ in range(self.samples)) / batch


def problems(options):
    """Op, element type, rows, length, inner size; of attention heads, sequence length, size of a head."""
    for op in options.ops:
        for dtype in options.types:
            if op in PRODUCTS:
                for size in HEADS:
                    for length in options.sequences:
                        yield op, dtype, max(1, options.tokens // length) * (WIDTH // size), length, size
                continue
            elements = options.mega * 1_000_000 // DTYPES[dtype]
            for length in options.lengths:
                yield op, dtype, max(1, elements // length), length, 1
            for length, inner in INNER if "oftmax" in op else TALL if op in ("sum", "max") else []:
                yield op, dtype, max(1, elements // (length * inner)), length, inner


def some(all_, kind=str):
    """Reads a list with commas, each of them in all_, or any where that is None."""

    def read(text):
        values = [kind(word) for word in text.split(",")]
        unknown = [value for value in values if all_ is not None and value not in all_]
        if unknown:
            raise argparse.ArgumentTypeError(f"there is no {unknown[0]}; there are {', '.join(all_)}")
        return values

    return read


def main():
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--mega", type=int, default=256)
    parser.add_argument("--samples", type=int, default=15)
    parser.add_argument("--ops", type=some(OPS), default=OPS)
    parser.add_argument("--types", type=some(DTYPES), default=list(DTYPES))
    parser.add_argument("--lengths", type=some(None, int), default=LENGTHS)
    parser.add_argument("--sequences", type=some(None, int), default=SEQUENCES)
    parser.add_argument("--tokens", type=int, default=16384)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."))
    options = parser.parse_args(sys.argv[1:split])
    command = sys.argv[split + 1 :]
    if not command:
        parser.error("the command that starts Java comes after --")
    tenon = Tenon(command, "org.tenon.bench.RowsBench", options.device, str(options.samples))
    peers = Peers(options.device, options.samples)
    lines = [f"{tenon.description}; {peers.description}", ""]
    results = []
    for op, dtype, outer, length, inner in problems(options):
        # What is divided by a time in milliseconds for the table: a copy's, or billions of operations.
        if op in PRODUCTS:
            work = 2 * PRODUCTS[op] * outer * (length * (length + 1) // 2) * inner / 1e9
        else:
            work = tenon.time("copy", dtype, outer, length, inner) * MOVES[op] / 2
        times = {"tenon": tenon.time(op, dtype, outer, length, inner)}
        times.update(peers.times(op, dtype, outer, length, inner))
        results.append((op, dtype, outer, length, inner, work, times))
        print(row(results[-1]), flush=True)
    tenon.close()
    write(options.out, lines, results)


def row(result):
    op, dtype, outer, length, inner, work, times = result
    cells = [f"{work / times[name]:.2f}" if name in times else "-" for name in ["tenon", *PEERS]]
    copy = f"{1e3 * work:.1f}" if op in MOVES else "-"
    return f"| {op} | {dtype} | [{outer}, {length}, {inner}] | {copy} | {' | '.join(cells)} |"


def order(plot):
    """Where an op, and of attention a size of heads, comes among the plots."""
    return OPS.index(plot[0]), plot[1]


def write(folder, lines, results):
    folder.mkdir(parents=True, exist_ok=True)
    head = ["| op | type | shape | copy, us | Tenon | eager | compile | Triton |", "|---|---|---|---|---|---|---|---|"]
    text = "\n".join([*lines, "Speed next to a copy of the bytes that must move; of attention TFLOP/s.", "", *head, *map(row, results)]) + "\n"
    (folder / "row_ops.md").write_text(text)
    with open(folder / "row_ops.tsv", "w") as file:
        for op, dtype, outer, length, inner, work, times in results:
            for name, milliseconds in ({"copy": work, **times} if op in MOVES else times).items():
                print(op, dtype, outer, length, inner, name, milliseconds, sep="\t", file=file)
    try:
        import matplotlib

        matplotlib.use("svg")
        from matplotlib import pyplot
    except ImportError:
        print("there is no matplotlib: row_ops.svg is not drawn", file=sys.stderr)
        return
    ops = sorted({(result[0], result[4] if result[0] in PRODUCTS else 1) for result in results}, key=order)
    types = sorted({result[1] for result in results}, key=list(DTYPES).index)
    figure, axes = pyplot.subplots(len(ops), len(types), squeeze=False, figsize=(5 * len(types), 3 * len(ops)))
    for i, (op, size) in enumerate(ops):
        for j, dtype in enumerate(types):
            at = axes[i][j]
            at.set_title(f"{op}, {dtype}" if op in MOVES else f"{op}, {dtype}, heads of {size}")
            if op in MOVES:
                at.axhline(1, color="gray", linewidth=0.5)
            for name in ["tenon", *PEERS]:
                points = [
                    (math.log2(length), work / times[name])
                    for o, d, _, length, inner, work, times in results
                    if (o, d, inner) == (op, dtype, size) and name in times
                ]
                if points:
                    at.plot(*zip(*points), marker=".", label=name)
            at.set_xlabel("log2 of the row's length" if op in MOVES else "log2 of the sequence's length")
            at.set_ylabel("speed next to copy" if op in MOVES else "TFLOP/s")
            at.legend()
    figure.tight_layout()
    figure.savefig(folder / "row_ops.svg")


if __name__ == "__main__":
    main()
