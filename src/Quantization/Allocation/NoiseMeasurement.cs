using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Blocks;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compensation;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Allocation;

/// <summary>Measures <see cref="ModelNoise"/>: every input group is quantized alone, with the initial factors and on full-precision inputs, which takes a fraction of a quantization's time.</summary>
/// <param name="decoder">The decoder.</param>
/// <param name="options">The method; factors are not learned, and nothing is patched.</param>
/// <param name="schemes">The schemes to measure a group at.</param>
/// <param name="compute">Computes the heavy steps.</param>
public sealed class NoiseMeasurement(DecoderDescription decoder, QuantizationOptions options, Func<int, InputGroup, IReadOnlyList<QuantizationScheme>> schemes, ICompute compute)
{
    /// <summary>The largest rank whose gain is measured.</summary>
    public const int MaxRank = 64;

    // More sequences change the ranking of groups little, and the time in proportion.
    private const int MaxSequences = 32;
    private const long StreamBytes = 1L << 30;

    private readonly QuantizationOptions _options = options with
    {
        Epochs = 0,
        Rank = Math.Max(0, options.DeviatingChannels), // So that what deviating channels ask of patches is in the residuals.
        PatchBytes = null,
        LayerRanks = LayerRanks.None,
        Alternations = 0,
        ModalityWeights = options.ModalityWeights.Count > 0 ? options.ModalityWeights : [1, 1, 1],
    };
    private readonly IGemmBackend _backend = new CpuGemmBackend();

    /// <summary>Measures all blocks.</summary>
    /// <param name="weights">Reads a block.</param>
    /// <param name="all">The calibration set as the first block reads it; left as it is.</param>
    /// <param name="report">Receives the share that is done.</param>
    /// <param name="cancellationToken">Obeyed within every step.</param>
    public ModelNoise Run(Func<int, BlockWeights> weights, IReadOnlyList<CalibrationSequence> all, Action<double> report, CancellationToken cancellationToken)
        => Run(BlockRange.All, weights, all, report, cancellationToken);

    /// <summary>Measures the groups of a range of blocks: the entries that a measurement of all has for them, and the signal of all.</summary>
    /// <param name="blocks">The blocks.</param>
    /// <param name="weights">Reads a block.</param>
    /// <param name="all">The calibration set as the first block reads it; left as it is.</param>
    /// <param name="report">Receives the share that is done.</param>
    /// <param name="cancellationToken">Obeyed within every step.</param>
    public ModelNoise Run(BlockRange blocks, Func<int, BlockWeights> weights, IReadOnlyList<CalibrationSequence> all, Action<double> report, CancellationToken cancellationToken)
    {
        var sequences = Sample(all, MaxSequences);
        var runner = new BlockRunner(decoder.Config, sequences);
        var streams = new NoiseStreams(decoder, Sample(sequences, StreamedSequences(sequences)));
        var found = new List<GroupNoise>();
        for (var layer = 0; layer < decoder.Blocks.Count; layer++)
        {
            var block = weights(layer);
            var exact = block.ToDense();
            var disturbed = new List<TransformerBlock>();
            foreach (var trial in blocks.Contains(layer) ? Groups(exact, block, runner, cancellationToken) : [])
            {
                found.Add(trial.Facts);
                disturbed.Add(trial.Block);
                report((layer + (disturbed.Count / (double)(disturbed.Count + 1))) / decoder.Blocks.Count);
            }

            if (layer < blocks.First)
            {
                runner.Pass(exact, cancellationToken);
            }

            streams.Pass(layer, exact, disturbed, cancellationToken);
            report((layer + 1.0) / decoder.Blocks.Count);
        }

        return new ModelNoise(streams.Signal, [.. found.Zip(streams.Noise, (facts, noise) => facts with { Noise = noise })]);
    }

    private IEnumerable<(TransformerBlock Block, GroupNoise Facts)> Groups(TransformerBlock exact, BlockWeights weights, BlockRunner runner, CancellationToken cancellationToken)
    {
        var blocks = new BlockQuantizer(_options, _backend, runner, compute);
        var walk = runner.Walk(exact);
        foreach (var group in weights.Description.Groups)
        {
            var linears = weights.Group(group);
            var (statistics, own) = blocks.Observe(walk, weights, group, cancellationToken);
            var quantizer = blocks.NewQuantizer(statistics, own);
            foreach (var scheme in schemes(weights.Layer, group))
            {
                var codes = linears.Select(linear => quantizer.Quantize(own.Base.ScaleWeight(linear.ReadMatrix()), scheme, cancellationToken)).ToArray();
                var gains = new GroupCompensation(_options, weights.Layer, _backend, walk, statistics, own, compute).Gains(group, linears, codes, MaxRank, cancellationToken);
                var executable = new QuantizedLinearGroup([.. codes.Select((code, i) => code.Pack(linears[i].Bias))], own.Input, _backend);
                yield return (exact.With(group, executable), new GroupNoise(weights.Layer, group, scheme.ToString(), [], gains));
            }

            walk.Pass(group, exact[group], cancellationToken);
        }
    }

    private int StreamedSequences(IReadOnlyList<CalibrationSequence> sequences)
    {
        var streams = decoder.Blocks.Index().Sum(block => block.Item.Groups.Sum(group => schemes(block.Index, group).Count));
        var bytes = sequences.Max(sequence => sequence.Exact.Span.Length) * (long)sizeof(float) * Math.Max(1, streams);
        return (int)Math.Clamp(StreamBytes / bytes, 2, MaxSequences / 2);
    }

    // Evenly from every combination of modalities, so that none is missed.
    private static List<CalibrationSequence> Sample(IReadOnlyList<CalibrationSequence> all, int count)
    {
        var kinds = all.GroupBy(sequence => (sequence.Modalities.CountOf(Modality.Vision) > 0, sequence.Modalities.CountOf(Modality.Audio) > 0)).Select(kind => kind.ToArray()).ToArray();
        return [.. kinds.SelectMany(kind =>
        {
            var taken = Math.Clamp((int)Math.Ceiling(count * (double)kind.Length / all.Count), 1, kind.Length);
            return SpreadSample.Evenly(kind, taken);
        }).Select(sequence => new CalibrationSequence { Modalities = sequence.Modalities, Rotary = sequence.Rotary, Deepstack = sequence.Deepstack, Exact = sequence.Exact, Quantized = sequence.Exact })];
    }
}
