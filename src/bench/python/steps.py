"""Whole training steps of a perceptron and of a GPT, on one device in one run, by turns: Tenon's op by op and captured, PyTorch's eager,
compiled, and compiled into CUDA graphs (mode="reduce-overhead"). The same sizes, AdamW (PyTorch's fused), gradients of the GPT clipped by
norm, bfloat16 as autocast over float32 parameters. Writes steps.md, steps.tsv and, where matplotlib is there, steps.svg.

    python3 steps.py [--device cuda:0] [--rounds 9] [--models mlp,gpt] [--types float32,bfloat16] [--small] [--check] [--out FOLDER]
                     -- JAVA [FLAG...]

JAVA [FLAG...] is the command that starts org.tenon.examples.StepsBench, without the class's name. Times are medians over rounds, in
microseconds a step; a round of each is as many steps as take some 50 ms. --small takes sizes for a CPU. --check makes a few steps of each
and tells losses, no times: for a stand-in, which has no speed.
"""

import argparse
import pathlib
import statistics
import sys
import time

from row_ops import Tenon, some

TYPES = ["float32", "bfloat16"]
# As StepsBench takes them: inputs, hidden, classes, rows; vocabulary, layers, heads, embedding, context, sequences.
SIZES = {"mlp": (784, 256, 10, 64), "gpt": (65, 6, 6, 384, 256, 64)}
SMALL = {"mlp": (784, 256, 10, 64), "gpt": (65, 2, 4, 64, 32, 4)}
RUNNERS = ["tenon", "captured", "eager", "compile", "graphs"]
TITLES = ["Tenon, op by op", "Tenon, captured", "PyTorch eager", "compiled", "compiled, CUDA graphs"]
RATE = 1e-3
SECONDS = 0.05


class Ours:
    """A training in Java."""

    def __init__(self, tenon, form, model, dtype, sizes):
        self.tenon = tenon
        self.request = f"{model} {dtype} {form} {{}} " + " ".join(map(str, sizes))

    def run(self, steps):
        """Milliseconds a step, and the last loss."""
        milliseconds, loss, self.parameters = self.tenon.ask(self.request.format(steps)).split()
        return float(milliseconds), float(loss)


class Torch:
    """The same training in PyTorch."""

    def __init__(self, torch, device, runner, model, dtype, sizes):
        self.torch = torch
        self.device = device
        torch.manual_seed(1)
        torch._dynamo.reset()
        net, inputs, loss = (mlp if model == "mlp" else gpt)(torch, device, *sizes)
        self.parameters = str(sum(each.numel() for each in net.parameters()))
        matrices = [each for each in net.parameters() if each.dim() > 1]
        vectors = [each for each in net.parameters() if each.dim() == 1]
        groups = (
            [{"params": list(net.parameters())}]
            if model == "mlp"
            else [{"params": matrices, "weight_decay": 0.1, "betas": (0.9, 0.99)}, {"params": vectors, "weight_decay": 0, "betas": (0.9, 0.99)}]
        )
        optimizer = torch.optim.AdamW(groups, lr=RATE, fused=True)
        if runner == "compile":
            loss = torch.compile(loss)
        elif runner == "graphs":
            loss = torch.compile(loss, mode="reduce-overhead")
        autocast = torch.autocast(torch.device(device).type, torch.bfloat16, enabled=dtype == "bfloat16")

        def step():
            optimizer.zero_grad()
            with autocast:
                value = loss(*inputs)
            value.backward()
            if model == "gpt":
                torch.nn.utils.clip_grad_norm_(net.parameters(), 1)
            optimizer.step()
            return value

        self.step = step

    def run(self, steps):
        if self.device.startswith("cuda"):
            self.torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(steps):
            value = self.step()
        loss = value.item()
        return (time.perf_counter() - start) * 1e3 / steps, loss


def mlp(torch, device, inputs, hidden, classes, rows):
    net = torch.nn.Sequential(torch.nn.Linear(inputs, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, classes)).to(device)
    x = torch.randn(rows, inputs, device=device)
    target = torch.randint(0, classes, (rows,), device=device)
    return net, (x, target), lambda x, target: torch.nn.functional.cross_entropy(net(x), target)


def gpt(torch, device, vocabulary, layers, heads, embedding, context, sequences):
    nn, f = torch.nn, torch.nn.functional

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention_norm = nn.LayerNorm(embedding)
            self.qkv = nn.Linear(embedding, 3 * embedding)
            self.out = nn.Linear(embedding, embedding)
            self.mlp_norm = nn.LayerNorm(embedding)
            self.wide = nn.Linear(embedding, 4 * embedding)
            self.narrow = nn.Linear(4 * embedding, embedding)

        def forward(self, x):
            n, t, _ = x.shape
            q, k, v = (
                part.view(n, t, heads, embedding // heads).transpose(1, 2)
                for part in self.qkv(self.attention_norm(x)).split(embedding, 2)
            )
            attended = f.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(attended.transpose(1, 2).reshape(n, t, embedding))
            return x + self.narrow(f.gelu(self.wide(self.mlp_norm(x))))

    class Gpt(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens = nn.Embedding(vocabulary, embedding)
            self.positions = nn.Parameter(torch.randn(context, embedding) * 0.02)
            self.blocks = nn.Sequential(*(Block() for _ in range(layers)))
            self.norm = nn.LayerNorm(embedding)
            for name, each in self.named_parameters():
                if each.dim() == 2:
                    deviation = 0.02 / (2 * layers) ** 0.5 if name.endswith(("out.weight", "narrow.weight")) else 0.02
                    nn.init.normal_(each, 0, deviation)
                elif name.endswith("bias"):
                    nn.init.zeros_(each)

        def forward(self, x, following):
            h = self.norm(self.blocks(self.tokens(x) + self.positions))
            logits = f.linear(h, self.tokens.weight)
            return f.cross_entropy(logits.view(-1, vocabulary), following.view(-1))

    net = Gpt().to(device)
    x, following = (torch.randint(0, vocabulary, (sequences, context), device=device) for _ in range(2))
    return net, (x, following), net


def runners(options, tenon, torch, model, dtype, sizes):
    """Name -> a training, of those that there are; each has made steps until its time no longer falls much."""
    makers = {
        "tenon": lambda: Ours(tenon, "plain", model, dtype, sizes),
        "captured": lambda: Ours(tenon, "captured", model, dtype, sizes),
    }
    if torch is not None:
        for name in RUNNERS[2:]:
            if name != "graphs" or options.device.startswith("cuda"):
                makers[name] = lambda name=name: Torch(torch, options.device, name, model, dtype, sizes)
    found = {}
    for name, make in makers.items():
        try:
            training = make()
            for _ in range(2 if options.check else 8):
                training.run(3 if options.check else 10)
            found[name] = training
        except Exception as error:  # a peer that cannot is told, and the others go on
            if name in RUNNERS[:2]:
                raise
            print(f"{name} fails at {model} of {dtype}: {error}", file=sys.stderr)
    counts = {each.parameters for each in found.values()}
    if len(counts) != 1:
        raise SystemExit(f"the models of {model} differ: {counts} parameters")
    return found


def measure(found, rounds):
    """Name -> the median of microseconds a step, and the last loss."""
    steps = {name: max(1, round(SECONDS * 1e3 / training.run(10)[0])) for name, training in found.items()}
    times = {name: [] for name in found}
    losses = {}
    for _ in range(rounds):
        for name, training in found.items():
            milliseconds, losses[name] = training.run(steps[name])
            times[name].append(1e3 * milliseconds)
    return {name: (statistics.median(all_), losses[name]) for name, all_ in times.items()}


def row(model, dtype, results):
    cells = [f"{results[name][0]:.0f}" if name in results else "-" for name in RUNNERS]
    ours = min(results[name][0] for name in RUNNERS[:2])
    cells += [f"{results[name][0] / ours:.2f}" if name in results else "-" for name in RUNNERS[2:]]
    return f"| {model} | {dtype} | {' | '.join(cells)} |"


def write(folder, description, all_):
    folder.mkdir(parents=True, exist_ok=True)
    head = [
        f"| model | type | {' | '.join(TITLES)} | {' | '.join('by ' + title for title in TITLES[2:])} |",
        "|---" * (2 + len(RUNNERS) + len(RUNNERS[2:])) + "|",
    ]
    text = [description, "", "Microseconds a step; then each of PyTorch's times by the less of Tenon's: above 1 Tenon is faster.", "", *head]
    (folder / "steps.md").write_text("\n".join([*text, *(row(*each) for each in all_)]) + "\n")
    with open(folder / "steps.tsv", "w") as file:
        for model, dtype, results in all_:
            for name, (microseconds, loss) in results.items():
                print(model, dtype, name, microseconds, loss, sep="\t", file=file)
    try:
        import matplotlib

        matplotlib.use("svg")
        from matplotlib import pyplot
    except ImportError:
        print("there is no matplotlib: steps.svg is not drawn", file=sys.stderr)
        return
    figure, axes = pyplot.subplots(1, len(all_), squeeze=False, figsize=(4 * len(all_), 4))
    for at, (model, dtype, results) in zip(axes[0], all_):
        names = [name for name in RUNNERS if name in results]
        at.bar([TITLES[RUNNERS.index(name)].replace(", ", "\n") for name in names], [results[name][0] for name in names])
        at.set_title(f"{model}, {dtype}")
        at.set_ylabel("microseconds a step")
        at.tick_params(axis="x", labelrotation=90)
    figure.tight_layout()
    figure.savefig(folder / "steps.svg")


def main():
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--models", type=some(list(SIZES)), default=list(SIZES))
    parser.add_argument("--types", type=some(TYPES), default=TYPES)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."))
    options = parser.parse_args(sys.argv[1:split])
    command = sys.argv[split + 1 :]
    if not command:
        parser.error("the command that starts Java comes after --")
    tenon = Tenon(command, "org.tenon.examples.StepsBench", options.device)
    if "stand-in" in tenon.description and not options.check:
        raise SystemExit(f"{options.device} is a stand-in, which has no speed; --check tells losses")
    torch, peer = None, "no PyTorch"
    try:
        import torch

        there = not options.device.startswith("cuda") or torch.cuda.is_available()
        peer = f"PyTorch {torch.__version__}" + ("" if there else " sees no GPU")
        torch = torch if there else None
        if torch is not None:
            torch.set_float32_matmul_precision("highest")
    except ImportError as error:
        peer = f"no PyTorch: {error}"
    description = f"{tenon.description}; {peer}"
    print(description, flush=True)
    results = []
    for model in options.models:
        for dtype in options.types:
            sizes = (SMALL if options.small else SIZES)[model]
            found = runners(options, tenon, torch, model, dtype, sizes)
            if options.check:
                print(model, dtype, {name: training.run(3)[1] for name, training in found.items()}, flush=True)
            else:
                results.append((model, dtype, measure(found, options.rounds)))
                print(row(*results[-1]), flush=True)
            found.clear()
            tenon.ask("close")
    tenon.close()
    if not options.check:
        write(options.out, description, results)


if __name__ == "__main__":
    main()
