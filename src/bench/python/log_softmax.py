"""PyTorch's eager log_softmax on a GPU, as a peer of DeviceBench: the same shapes, inputs that rotate through 256 MB, a copy
of the same bytes beside it. Milliseconds by CUDA events, the least of many samples.

    python3 log_softmax.py [--check]     --check: says whether PyTorch and a GPU are there, 0 or 1
"""

import sys

SHAPES = [(65536, 10), (32768, 128), (4096, 1024), (256, 32768), (64, 131072)]
WORKING_SET = 256 << 20
SAMPLES = 40
SAMPLE_MS = 20.0


def main():
    try:
        import torch
    except ImportError as error:
        print(f"PyTorch is not there: {error}")
        return 1
    if not torch.cuda.is_available():
        print(f"PyTorch {torch.__version__} sees no GPU")
        return 1
    print(f"PyTorch {torch.__version__}, CUDA {torch.version.cuda}, {torch.cuda.get_device_name(0)}")
    if "--check" not in sys.argv[1:]:
        torch.backends.cuda.matmul.allow_tf32 = False
        for shape in SHAPES:
            softmax(torch, shape)
        for n in (256, 512, 1024):
            product(torch, n)
    return 0


def least(torch, call):
    """Milliseconds of call(i), i counting up."""

    def sample(batch):
        start = torch.cuda.Event(enable_timing=True)
        end = torch.cuda.Event(enable_timing=True)
        torch.cuda.synchronize()
        start.record()
        for i in range(batch):
            call(i)
        end.record()
        torch.cuda.synchronize()
        return start.elapsed_time(end)

    batch = 1
    while sample(batch) < SAMPLE_MS:
        batch *= 2
    return min(sample(batch) for _ in range(SAMPLES)) / batch


def softmax(torch, shape):
    count = max(2, min(64, WORKING_SET // (shape[0] * shape[1] * 4) // 4))
    x = [torch.randn(shape, device="cuda") for _ in range(count)]
    y = [torch.log_softmax(each, -1) for each in x]
    g = [torch.randn(shape, device="cuda") for _ in range(count)]
    out = [torch.empty(shape, device="cuda") for _ in range(count)]
    copy = least(torch, lambda i: out[i % count].copy_(x[i % count]))
    forward = least(torch, lambda i: torch.log_softmax(x[i % count], -1))
    backward = least(
        torch,
        lambda i: torch.ops.aten._log_softmax_backward_data(g[i % count], y[i % count], -1, torch.float32),
    )
    print(
        f"{str(list(shape)):16s} copy {copy:8.3f}   forward {forward:8.3f} ({100 * copy / forward:3.0f} %)"
        f"   backward {backward:8.3f} ({100 * 1.5 * copy / backward:3.0f} %)"
    )


def product(torch, n):
    a = torch.randn(n, n, device="cuda")
    b = torch.randn(n, n, device="cuda")
    plain = least(torch, lambda i: torch.matmul(a, b))
    print(f"matrix product {n:6d} {2e-6 * n**3 / plain:10.1f} GFLOP/s")


if __name__ == "__main__":
    sys.exit(main())
