"""PyTorch's matrix products on a GPU, as a peer of DeviceBench. By CUDA events, the least of many samples.

    python3 products.py [--check]     --check: says whether PyTorch and a GPU are there, 0 or 1
"""

import sys

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


def product(torch, n):
    a = torch.randn(n, n, device="cuda")
    b = torch.randn(n, n, device="cuda")
    plain = least(torch, lambda i: torch.matmul(a, b))
    print(f"matrix product {n:6d} {2e-6 * n**3 / plain:10.1f} GFLOP/s")


if __name__ == "__main__":
    sys.exit(main())
