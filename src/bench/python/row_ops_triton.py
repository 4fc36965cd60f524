"""Log-softmax and its gradient as Triton kernels, a program for each row: peers of row_ops.py."""

import torch
import triton
import triton.language as tl

# Beyond it a row is read in pieces.
WHOLE = 65536


@triton.jit
def _forward(out, x, length, BLOCK: tl.constexpr):
    at = tl.program_id(0).to(tl.int64) * length
    columns = tl.arange(0, BLOCK)
    inside = columns < length
    v = tl.load(x + at + columns, mask=inside, other=-float("inf")).to(tl.float32)
    v = v - tl.max(v, 0)
    tl.store(out + at + columns, v - tl.log(tl.sum(tl.exp(v), 0)), mask=inside)


@triton.jit
def _forward_pieces(out, x, length, BLOCK: tl.constexpr):
    at = tl.program_id(0).to(tl.int64) * length
    columns = tl.arange(0, BLOCK)
    top = tl.full([BLOCK], -float("inf"), tl.float32)
    total = tl.zeros([BLOCK], tl.float32)
    for start in range(0, length, BLOCK):
        v = tl.load(x + at + start + columns, mask=start + columns < length, other=-float("inf")).to(tl.float32)
        higher = tl.maximum(top, v)
        # Where nothing was seen yet, -inf less -inf must not count.
        total = tl.where(higher == -float("inf"), 0.0, total * tl.exp(top - higher) + tl.exp(v - higher))
        top = higher
    highest = tl.max(top, 0)
    rest = tl.log(tl.sum(total * tl.exp(top - highest), 0))
    for start in range(0, length, BLOCK):
        inside = start + columns < length
        v = tl.load(x + at + start + columns, mask=inside).to(tl.float32)
        tl.store(out + at + start + columns, v - highest - rest, mask=inside)


@triton.jit
def _backward(dx, g, y, length, BLOCK: tl.constexpr):
    at = tl.program_id(0).to(tl.int64) * length
    columns = tl.arange(0, BLOCK)
    inside = columns < length
    slope = tl.load(g + at + columns, mask=inside, other=0.0).to(tl.float32)
    result = tl.load(y + at + columns, mask=inside, other=0.0).to(tl.float32)
    tl.store(dx + at + columns, slope - tl.exp(result) * tl.sum(slope, 0), mask=inside)


def call(op, x, g):
    """A function of a counter, or None for what is not written here."""
    if x[0].dim() != 2 or op not in ("logSoftmaxForward", "logSoftmaxBackward"):
        return None
    rows, length = x[0].shape
    block = triton.next_power_of_2(length)
    warps = 4 if block <= 2048 else 8 if block <= 8192 else 16
    count = len(x)
    if op == "logSoftmaxForward" and block <= WHOLE:
        return lambda i: _forward[(rows,)](torch.empty_like(x[0]), x[i % count], length, BLOCK=block, num_warps=warps)
    if op == "logSoftmaxForward":
        return lambda i: _forward_pieces[(rows,)](
            torch.empty_like(x[0]), x[i % count], length, BLOCK=8192, num_warps=16
        )
    if block > WHOLE:
        return None
    return lambda i: _backward[(rows,)](
        torch.empty_like(x[0]), g[i % count], x[i % count], length, BLOCK=block, num_warps=warps
    )
