using System.Diagnostics;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;

namespace MASQuant.Bench.Prefill;

/// <summary>A quantized input group of random content that computes what <see cref="QuantizedLinearGroup"/> does, part by part.</summary>
internal sealed class PartGroup : ILinearGroup, IPreparingGroup
{
    private const int Rank = 12;
    private readonly CpuGemmBackend _backend = new();
    private readonly PreparedTokens _tokens;
    private readonly PartTimes _times;
    private readonly InputTransform _input;
    private readonly QuantizedWeight[] _plain;
    private readonly QuantizedWeight[] _patched;

    public PartGroup(ProjectStep step, QuantizationScheme scheme, Random random, PartTimes times, PreparedTokens tokens)
    {
        _tokens = tokens;
        var inputs = step.Linears[0].Inputs;
        float[] Ones() => [.. Enumerable.Repeat(1f, inputs)];
        (_times, _input) = (times, new InputTransform([Ones(), Ones(), Ones()], BlockHadamard.LargestBlock(inputs)));
        _plain = [.. step.Linears.Select(linear => QuantizedWorkload.RandomWeight(random, scheme, linear.Outputs, linear.Inputs) with { Scales = Enumerable.Repeat(0.003f, linear.Outputs).ToArray() })];
        _patched = [.. _plain.Select(weight => weight with { Patches = [null, Patch(random, weight), null] })];
    }

    /// <summary>The same layers as the runtime has them.</summary>
    public ILinearGroup Whole(PreparedTokensPool pool) => new QuantizedLinearGroup(_patched, _input, _backend, pool);

    public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
        => Forward(input => _backend.Prepare(x, modalities, input, _plain[0].Scheme, _tokens), "smoothing, quantization", (double)x.Rows * x.Columns, 1, modalities, outputs);

    public void Forward(IInputRows x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
    {
        var (name, read) = x is GatedRows ? ("SiLU, smoothing, quantization", 2) : ("norm, smoothing, quantization", 1);
        Forward(input => _backend.Prepare(x, modalities, input, _plain[0].Scheme, _tokens), name, (double)x.Rows * x.Columns, read, modalities, outputs);
    }

    private void Forward(Action<InputTransform> prepare, string name, double values, int read, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
    {
        var unrotated = Seconds(() => prepare(_input with { RotationBlock = 0 }));
        var rotated = Seconds(() => prepare(_input));
        _times.Add(name, new Floor(Bytes: values * (((read + 1) * sizeof(float)) + 1)), Math.Min(unrotated, rotated));
        _times.Add("rotation of inputs (Hadamard)", new Floor(Bytes: values * sizeof(float)), Math.Max(0, rotated - unrotated));
        var rows = modalities.Count;
        for (var i = 0; i < outputs.Length; i++)
        {
            var (weight, y) = (_plain[i], outputs[i]);
            _times.Time("integer products", new(IntegerOperations: 2.0 * rows * weight.Outputs * weight.Inputs), () => _backend.Multiply(_tokens, weight, y));
            if (!modalities.IsTextOnly)
            {
                var patched = (double)modalities.CountOf(Modality.Vision);
                _times.Time("low-rank patches", new(Flops: 2 * patched * Rank * (weight.Outputs + weight.Inputs), Bytes: patched * sizeof(float) * (weight.Inputs + (2 * weight.Outputs))), () => AddPatches(_patched[i], y));
            }
        }
    }

    private unsafe void AddPatches(QuantizedWeight weight, Matrix y)
    {
        fixed (float* target = y.Data)
        {
            LowRankProduct.Add(_tokens, weight, target, CpuTarget.ThisMachine);
        }
    }

    private static LowRankFactors Patch(Random random, QuantizedWeight weight)
        => new(QuantizedWorkload.RandomMatrix(random, weight.Inputs, Rank), QuantizedWorkload.RandomMatrix(random, Rank, weight.Outputs));

    private static double Seconds(Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}

/// <summary>A full-precision group of random content, timed.</summary>
internal sealed class PartDenseGroup(ILinearGroup layers, PartTimes times, double count) : ILinearGroup
{
    public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
    {
        var results = outputs.ToArray();
        times.Time("FP32 products", new(Flops: results.Sum(y => 2.0 * x.Rows * x.Columns * y.Columns)), () => layers.Forward(x, modalities, results), count);
    }
}
