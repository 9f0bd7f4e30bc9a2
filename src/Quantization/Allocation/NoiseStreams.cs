using MASQuant.Engine.Layers;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Models;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Allocation;

/// <summary>Carries several disturbed residual streams beside the exact one, block after block, and sums how far each linear layer's output is from the exact one's.</summary>
/// <param name="decoder">The decoder.</param>
/// <param name="sequences">What runs through the decoder.</param>
internal sealed class NoiseStreams(DecoderDescription decoder, IReadOnlyList<CalibrationSequence> sequences)
{
    private readonly DecoderWorkspace[] _workspaces = [.. sequences.Select(_ => new DecoderWorkspace(decoder.Config))];
    private readonly Matrix[] _exact = [.. sequences.Select(sequence => sequence.Exact.Copy())];
    private readonly List<Stream> _streams = [];

    /// <summary>‖Y‖², [linear][modality], of the blocks passed so far.</summary>
    public double[][] Signal { get; } = Energies(decoder);

    /// <summary>‖Y − Ŷ‖² of every stream, in the order of their beginning, [linear][modality].</summary>
    public IReadOnlyList<double[][]> Noise => [.. _streams.Select(stream => stream.Noise)];

    /// <summary>Takes all streams through a block, and begins new ones in it.</summary>
    /// <param name="layer">The block's number.</param>
    /// <param name="exact">The block.</param>
    /// <param name="disturbed">The block as each new stream meets it.</param>
    /// <param name="cancellationToken">Obeyed between streams.</param>
    public void Pass(int layer, TransformerBlock exact, IReadOnlyList<TransformerBlock> disturbed, CancellationToken cancellationToken)
    {
        var (first, linears) = (_streams.Count, decoder.Blocks.Take(layer).Sum(block => block.Linears.Count));
        _streams.AddRange(disturbed.Select(_ => new Stream(Matrix.Copy(_exact), Energies(decoder))));
        var sums = new double[sequences.Count][][][];
        Workers.For(sequences.Count, t =>
        {
            var (targets, output) = Run(exact, _exact[t], t);
            sums[t] = new double[_streams.Count + 1][][];
            for (var s = 0; s < _streams.Count; s++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (outputs, hidden) = Run(s < first ? exact : disturbed[s - first], _streams[s].Hidden[t], t);
                _streams[s].Hidden[t] = hidden;
                sums[t][s] = Distances(targets, outputs, sequences[t].Modalities);
            }

            sums[t][^1] = Distances(targets, null, sequences[t].Modalities);
            _exact[t] = output;
        });
        foreach (var sum in sums) // In the order of the set, so that rounding does not depend on threads.
        {
            for (var s = 0; s < sum.Length; s++)
            {
                Add(sum[s], s < _streams.Count ? _streams[s].Noise : Signal, linears);
            }
        }
    }

    private (Matrix[] Outputs, Matrix Hidden) Run(TransformerBlock block, Matrix input, int t)
    {
        var outputs = new Matrix[block.Description.Groups.Count][];
        foreach (var (place, group) in block.Description.Groups.Index())
        {
            block = block.With(group, new ObservedLinearGroup(block[group], (_, y) => outputs[place] = Matrix.Copy(y)));
        }

        var hidden = input.Copy();
        block.Forward(hidden, sequences[t].Modalities, sequences[t].Rotary, _workspaces[t], deepstack: sequences[t].Deepstack);
        return ([.. outputs.SelectMany(group => group)], hidden);
    }

    // Without actual outputs: the energies of the exact ones.
    private static double[][] Distances(Matrix[] exact, Matrix[]? actual, ModalityMap modalities)
    {
        var sums = new double[exact.Length][];
        for (var i = 0; i < exact.Length; i++)
        {
            sums[i] = new double[ModalityMap.ModalityCount];
            for (var token = 0; token < modalities.Count; token++)
            {
                var (signal, noise) = Sqnr.Energies(exact[i].Row(token), (actual ?? exact)[i].Row(token));
                sums[i][(int)modalities[token]] += actual is null ? signal : noise;
            }
        }

        return sums;
    }

    private static void Add(double[][] sums, double[][] totals, int start)
    {
        for (var i = 0; i < sums.Length; i++)
        {
            for (var m = 0; m < sums[i].Length; m++)
            {
                totals[start + i][m] += sums[i][m];
            }
        }
    }

    private static double[][] Energies(DecoderDescription decoder)
        => [.. decoder.Blocks.SelectMany(block => block.Linears).Select(_ => new double[ModalityMap.ModalityCount])];

    private sealed record Stream(Matrix[] Hidden, double[][] Noise);
}
