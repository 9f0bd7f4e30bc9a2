"""The shapes of bench/Cuda in PyTorch: BF16 linear and torch._int_mm, CUDA graph replay, weights rotated past the L2 cache, medians.

    python3 bench/compare_torch.py [--csv FILE]

Without torch or without a GPU it says so and ends with 0."""
import argparse
import csv
import statistics
import sys

SHAPES = [
    ("3B qkv", 2560, 2048), ("3B o", 2048, 2048), ("3B gate_up", 22016, 2048), ("3B down", 2048, 11008),
    ("7B qkv", 4608, 3584), ("7B o", 3584, 3584), ("7B gate_up", 37888, 3584), ("7B down", 3584, 18944),
]
TOKENS = [1, 16, 512, 2048, 8192]
REPLAYS = 15


def median_microseconds(torch, run, copies):
    """The median time of run(copy) over a graph of every copy, replayed."""
    rounds = max(1, 64 // copies)
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for copy in range(copies):
            run(copy)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for i in range(rounds * copies):
            run(i % copies)
    graph.replay()
    torch.cuda.synchronize()
    times = []
    for _ in range(REPLAYS):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        graph.replay()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) * 1000 / (rounds * copies))
    return statistics.median(times)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--csv")
    arguments = arguments.parse_args()
    try:
        import torch
    except ImportError:
        print("Nothing is measured: torch is not installed.")
        return
    if not torch.cuda.is_available():
        print("Nothing is measured: torch finds no GPU.")
        return

    cache = torch.cuda.get_device_properties(0).L2_cache_size
    print(f"{torch.cuda.get_device_name(0)}, torch {torch.__version__}")
    rows = []

    def add(kernel, shape, tokens, time):
        rows.append((torch.cuda.get_device_name(0), torch.__version__, kernel, shape, tokens, f"{time:.3f}"))
        print(f"{kernel:24} {shape:14} M = {tokens:<6} {time:12.2f} µs")

    for shape, outputs, inputs in SHAPES:
        copies = min(64, max(1, 3 * cache // (outputs * inputs * 2) + 1))
        weights = [torch.randn(outputs, inputs, device="cuda", dtype=torch.bfloat16) for _ in range(copies)]
        for tokens in TOKENS:
            x = torch.randn(tokens, inputs, device="cuda", dtype=torch.bfloat16)
            add("torch BF16", shape, tokens, median_microseconds(torch, lambda copy: torch.nn.functional.linear(x, weights[copy]), copies))
        del weights
        copies = min(64, max(1, 3 * cache // (outputs * inputs) + 1))
        weights = [torch.randint(-128, 128, (outputs, inputs), device="cuda", dtype=torch.int8) for _ in range(copies)]
        for tokens in (count for count in TOKENS if count > 16):  # _int_mm takes no fewer rows
            x = torch.randint(-128, 128, (tokens, inputs), device="cuda", dtype=torch.int8)
            add("torch._int_mm", shape, tokens, median_microseconds(torch, lambda copy: torch._int_mm(x, weights[copy].t()), copies))
        del weights

    if arguments.csv:
        with open(arguments.csv, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["device", "torch", "kernel", "shape", "tokens", "microseconds"])
            writer.writerows(rows)


if __name__ == "__main__":
    sys.exit(main())
