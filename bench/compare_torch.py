"""The shapes of bench/Cuda in PyTorch: BF16 linear and torch._int_mm, and whole decoders of random weights in BF16; CUDA graph replay, weights rotated past the L2 cache, medians.

    python3 bench/compare_torch.py [kernels] [models] [--csv FILE]

Names and columns are those of bench/Cuda. Without torch or without a GPU it says so and ends with 2."""
import argparse
import csv
import statistics
import sys

# The tables of tests/MASQuant.Cuda.Checks/ModelShape.cs and BenchPlan.cs: hidden, layers, intermediate, heads, key heads.
MODELS = {"3B": (2048, 36, 11008, 16, 2), "7B": (3584, 28, 18944, 28, 4)}
VOCABULARY = 152064
TOKENS = [1, 16, 512, 2048, 8192]
PROMPT = 2048
BATCHES = [1, 16]
REPLAYS = 15
EPSILON = 1e-6
COLUMNS = ["device", "driver", "kernel", "shape", "tokens", "microseconds", "peak_mib"]


def linears(name):
    """A layer's products as they are launched: name, outputs, inputs."""
    hidden, _, inner, heads, key_heads = MODELS[name]
    size = hidden // heads
    return [(f"{name} qkv", (heads + 2 * key_heads) * size, hidden), (f"{name} o", hidden, hidden),
            (f"{name} gate_up", 2 * inner, hidden), (f"{name} down", hidden, inner)]


def median_microseconds(torch, run, copies, rounds=None):
    """The median time of run(copy) over a graph of every copy, replayed."""
    rounds = rounds or max(1, 64 // copies)
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


class Decoder:
    """A decoder of random weights: one layer's values for all, apart in memory. Rotation by zero angles costs what any other does."""

    def __init__(self, torch, name):
        self.torch = torch
        self.hidden, self.layers, self.inner, self.heads, self.key_heads = MODELS[name]
        self.size = self.hidden // self.heads
        self.weights = [[self.random(outputs, inputs) for _, outputs, inputs in linears(name)] for _ in range(self.layers)]
        self.gain = torch.ones(self.hidden, device="cuda", dtype=torch.bfloat16)
        self.embedding, self.head = self.random(VOCABULARY, self.hidden), self.random(VOCABULARY, self.hidden)

    def random(self, *shape):
        return self.torch.randn(*shape, device="cuda", dtype=self.torch.bfloat16) / shape[-1] ** 0.5

    def cache(self, sequences, tokens):
        """Keys and values of every layer, [sequences, key heads, tokens, size]."""
        shape = (self.layers, 2, sequences, self.key_heads, tokens, self.size)
        return self.torch.zeros(shape, device="cuda", dtype=self.torch.bfloat16)

    def norm(self, x):
        return self.torch.nn.functional.rms_norm(x, (self.hidden,), self.gain, EPSILON)

    @staticmethod
    def rotate(torch, x, cosines, sines):
        half = x.shape[-1] // 2
        return x * cosines + torch.cat((-x[..., half:], x[..., :half]), -1) * sines

    def run(self, ids, cache, cached, cosines, sines):
        """The choice after ids [sequences, tokens] behind the cached tokens: the last token's largest logit."""
        functional, (sequences, tokens) = self.torch.nn.functional, ids.shape
        hidden = functional.embedding(ids, self.embedding)
        for (qkv, o, gate_up, down), (keys, values) in zip(self.weights, cache):
            rows = functional.linear(self.norm(hidden), qkv).view(sequences, tokens, -1, self.size).transpose(1, 2)
            q, k, v = rows.split((self.heads, self.key_heads, self.key_heads), 1)
            keys[:, :, cached:cached + tokens] = self.rotate(self.torch, k, cosines, sines)
            values[:, :, cached:cached + tokens] = v
            attended = functional.scaled_dot_product_attention(
                self.rotate(self.torch, q, cosines, sines), keys[:, :, :cached + tokens], values[:, :, :cached + tokens], is_causal=tokens > 1, enable_gqa=True)
            hidden = hidden + functional.linear(attended.transpose(1, 2).reshape(sequences, tokens, self.hidden), o)
            gate, up = functional.linear(self.norm(hidden), gate_up).chunk(2, -1)
            hidden = hidden + functional.linear(functional.silu(gate) * up, down)
        return functional.linear(self.norm(hidden[:, -1]), self.head).argmax(-1)


def measure_kernels(torch, add):
    cache = torch.cuda.get_device_properties(0).L2_cache_size
    for shape, outputs, inputs in (linear for name in MODELS for linear in linears(name)):
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


def measure_models(torch, add):
    for name in MODELS:
        torch.cuda.empty_cache()
        decoder = Decoder(torch, name)
        cases = [("torch BF16 prefill", 1, PROMPT, 0)] + [("torch BF16 decode", batch, 1, PROMPT) for batch in BATCHES]
        for kernel, sequences, tokens, cached in cases:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            cache = decoder.cache(sequences, PROMPT + 1)
            ids = torch.arange(sequences * tokens, device="cuda").view(sequences, tokens)
            cosines, sines = (torch.full((tokens, decoder.size), value, device="cuda", dtype=torch.bfloat16) for value in (1, 0))
            time = median_microseconds(torch, lambda _: decoder.run(ids, cache, cached, cosines, sines), 1, rounds=1)
            add(kernel, name, PROMPT if cached == 0 else sequences, time, torch.cuda.max_memory_reserved() >> 20)
            del cache
        del decoder


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("parts", nargs="*", metavar="kernels | models", help="what is measured; all of it without a word")
    arguments.add_argument("--csv", metavar="FILE", help="writes the figures")
    options = arguments.parse_args()
    for part in options.parts:
        if part not in ("kernels", "models"):
            arguments.error(f"'{part}' is not known")
    try:
        import torch
    except ImportError:
        print("Nothing is measured: torch is not installed.")
        return 2
    if not torch.cuda.is_available():
        print("Nothing is measured: torch finds no GPU.")
        return 2

    device, rows = torch.cuda.get_device_name(0), []
    print(f"{device}, torch {torch.__version__}, CUDA {torch.version.cuda}")

    def add(kernel, shape, tokens, time, peak=""):
        rows.append((device, f"torch {torch.__version__}", kernel, shape, tokens, f"{time:.3f}", peak))
        print(f"{kernel:24} {shape:14} M = {tokens:<6} {time:12.2f} µs{f'   peak {peak} MiB' if peak else ''}", flush=True)

    try:
        with torch.inference_mode():
            for part, measure in (("kernels", measure_kernels), ("models", measure_models)):
                if part in (options.parts or [part]):
                    measure(torch, add)
    except KeyboardInterrupt:
        print("Ended before its end.")
    finally:
        if options.csv and rows:
            with open(options.csv, "w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(COLUMNS)
                writer.writerows(rows)
            print(f"{len(rows)} figures in {options.csv}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
