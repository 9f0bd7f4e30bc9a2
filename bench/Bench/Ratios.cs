using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Tensors;

namespace MASQuant.Bench;

/// <summary>The speeds that this project promises. Shapes are those of Qwen2.5-Omni-3B's <c>gate_proj</c>.</summary>
internal static class Ratios
{
    private const int Inputs = 2048;
    private const int Outputs = 11008;
    private const long BeyondCaches = 256L << 20;

    public static IReadOnlyList<Ratio> All() => [Float(), Prefill(), .. DotProducts(), Decode(QuantizationScheme.W4A8), Decode(QuantizationScheme.W8A8), Batch(QuantizationScheme.W4A8), Batch(QuantizationScheme.W8A8), Ahead(QuantizationScheme.W4A8, 4), Ahead(QuantizationScheme.W4A8, 8), Rotation(256), Rotation(1)];

    /// <summary>The FP32 product that towers and learning use, against fused multiply-adds on registers alone.</summary>
    private static Ratio Float()
    {
        var random = new Random(1);
        Matrix a = QuantizedWorkload.RandomMatrix(random, 1024, 2048), b = QuantizedWorkload.RandomMatrix(random, 2048, 2048), c = new(1024, 2048);
        return new Ratio(
            "FP32 1024 × 2048 × 2048 against the multiply-add roof",
            2e-9 * 1024 * 2048 * 2048, () => FloatGemm.Multiply(a, false, b, true, c),
            1e-9 * Roofs.MultiplyAddOperations * Workers.Count, Roofs.MultiplyAdd, "GFLOP/s", 0.45);
    }

    /// <summary>The SIMD backend on all threads against the scalar one, which is timed on a slice of the outputs: its time per output is constant.</summary>
    private static Ratio Prefill()
    {
        const int Slice = 64;
        var whole = new QuantizedWorkload(QuantizationScheme.W4A8, new GemmProblem(256, Outputs, Inputs));
        var slice = new QuantizedWorkload(QuantizationScheme.W4A8, new GemmProblem(256, Slice, Inputs));
        var (cpu, scalar) = (new CpuGemmBackend(), new ScalarGemmBackend());
        return new Ratio(
            $"W4A8 256 × {Outputs} × {Inputs} against the scalar backend",
            2e-9 * 256 * Outputs * Inputs, () => whole.Forward(cpu),
            2e-9 * 256 * Slice * Inputs, () => slice.Forward(scalar), "GOP/s", 25)
        { BaselineThreads = 1 };
    }

    /// <summary>Many tokens by AVX512-VNNI, where the machine has it, against its dot products on registers alone, and against the best that the runtime's own instructions do.</summary>
    private static IEnumerable<Ratio> DotProducts()
    {
        if (!CpuTarget.Levels.Contains(CpuLevel.Vnni512))
        {
            yield break;
        }

        CpuGemmBackend machineCode = new(CpuTarget.ThisMachine with { Level = CpuLevel.Vnni512 }), intrinsics = new(CpuTarget.ThisMachine with { Level = CpuLevel.Avx512 });
        foreach (var scheme in new[] { QuantizationScheme.W4A8, QuantizationScheme.W8A8 })
        {
            var workload = new QuantizedWorkload(scheme, new GemmProblem(256, Outputs, Inputs));
            var work = 2e-9 * 256 * Outputs * Inputs;
            yield return new Ratio($"{scheme} 256 × {Outputs} × {Inputs} against the vpdpbusd roof", work, () => workload.Forward(machineCode), 1e-9 * DotProductRoof.Operations * Workers.Count, () => Workers.For(Workers.Count, _ => DotProductRoof.Run()), "GOP/s", 0.75);
            yield return new Ratio($"{scheme} 256 × {Outputs} × {Inputs}, vnni512, against avx512", work, () => workload.Forward(machineCode), work, () => workload.Forward(intrinsics), "GOP/s", LeastOverIntrinsics(scheme));
        }
    }

    // Without AVX-VNNI 4-bit weights are multiplied by vpmaddubsw on 512 bits and an addition: half of what one vpdpbusd does, less what both spend beside it.
    private static double LeastOverIntrinsics(QuantizationScheme scheme) => scheme.WeightBits == 4 && !CpuTarget.ThisMachine.UsesVnni ? 1.2 : 1.5;

    /// <summary>One token over cold weights against a plain read of as many bytes.</summary>
    private static Ratio Decode(QuantizationScheme scheme)
    {
        const int Copies = 16;
        var workload = new QuantizedWorkload(scheme, new GemmProblem(1, Outputs, Inputs), BeyondCaches);
        var cpu = new CpuGemmBackend();
        return new Ratio(
            $"{scheme} 1 × {Outputs} × {Inputs}, cold, against a streaming read",
            1e-9 * Copies * workload.WeightBytes, () => Repeat(Copies, () => workload.Forward(cpu)),
            1e-9 * Copies * workload.WeightBytes, () => Repeat(Copies, workload.Read), "GB/s", CpuTarget.ThisMachine.Level >= CpuLevel.Vnni512 ? 0.8 : 0.6);
    }

    /// <summary>Answers in progress together against one after the other: the weights are read once for all, and attention is each one's own.</summary>
    private static Ratio Batch(QuantizationScheme scheme)
    {
        const int Sequences = 16;
        var workload = new DecodingWorkload(scheme, Sequences);
        return new Ratio($"{scheme} {Sequences} sequences, a token of each, against each alone", Sequences, workload.Together, Sequences, workload.Apart, "tokens/s", CpuTarget.ThisMachine.Level >= CpuLevel.Vnni512 ? 3 : 1.5);
    }

    /// <summary>A token and guesses behind it in one pass against a step each: what guesses that come true gain, and, divided by their number, what one that does not costs.</summary>
    private static Ratio Ahead(QuantizationScheme scheme, int guesses)
    {
        var workload = new DecodingWorkload(scheme, guesses + 1);
        return new Ratio($"{scheme} a token and {guesses} guesses in one pass, against a step each", guesses + 1, workload.Ahead, guesses + 1, workload.Apart, "tokens/s", 1.5);
    }

    /// <summary>The products of a decoder block of a 3B model (qkv, o, gate and up, down), whose inputs are rotated, against the same without. One token meets cold weights.</summary>
    private static Ratio Rotation(int tokens)
    {
        (int Outputs, int Inputs)[] groups = [(Inputs + 512, Inputs), (Inputs, Inputs), (2 * Outputs, Inputs), (Inputs, Outputs)];
        var cpu = new CpuGemmBackend();
        var workloads = groups.Select(group => new QuantizedWorkload(QuantizationScheme.W4A8, new GemmProblem(tokens, group.Outputs, group.Inputs), tokens == 1 ? BeyondCaches : 0)).ToArray();
        var blocks = tokens == 1 ? 8 : 1;
        void Forward(bool rotates) => Repeat(blocks, () => Array.ForEach(workloads, workload => workload.Forward(cpu, rotates)));
        return new Ratio($"W4A8 a block of 3B, {tokens} tokens, rotated, against unrotated", blocks, () => Forward(rotates: true), blocks, () => Forward(rotates: false), "blocks/s", 0.97);
    }

    private static void Repeat(int times, Action action)
    {
        for (var i = 0; i < times; i++)
        {
            action();
        }
    }
}
