using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Smoothing;
using MASQuant.Torch.Algebra;
using static TorchSharp.torch;

namespace MASQuant.Torch.Learning;

/// <summary>A simulated block whose gradient libtorch finds.</summary>
internal sealed class TorchBlock : ISimulatedBlock
{
    private readonly Device _device;
    private readonly SimulationProblem _problem;
    private readonly TorchGroup[] _groups;
    private readonly Tensor[] _gains;

    public TorchBlock(Device device, SimulationProblem problem)
    {
        (_device, _problem) = (device, problem);
        using var scope = NewDisposeScope();
        _groups = [.. problem.Groups.Select(group => new TorchGroup(group, device))];
        _gains = [.. problem.Norms.Select(norm => TorchMatrix.OfSingle(new Matrix(1, norm.Gain.Length, norm.Gain), device).DetachFromDisposeScope())];
    }

    public IEnumerable<GroupFactors> Factors => _problem.Groups.Select(group => group.Factors);

    public void Refresh()
    {
        foreach (var group in _groups)
        {
            group.Refresh();
        }
    }

    public double Loss(CalibrationSequence sequence, Matrix target)
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        set_num_threads(1);
        return Measure(sequence, target).item<double>();
    }

    public void Descend(CalibrationSequence sequence, Matrix target)
    {
        using var scope = NewDisposeScope();
        set_num_threads(1);
        foreach (var group in _groups)
        {
            group.Record();
        }

        Measure(sequence, target).backward();
        foreach (var group in _groups)
        {
            group.TakeGradient();
        }
    }

    public void Dispose()
    {
        foreach (var group in _groups)
        {
            group.Dispose();
        }

        foreach (var gain in _gains)
        {
            gain.Dispose();
        }
    }

    // Σ_m λ_m · mean|Y − Y*| over the tokens of each modality (paper Eq. 14).
    private Tensor Measure(CalibrationSequence sequence, Matrix target)
    {
        var modalities = sequence.Modalities;
        var masks = new Matrix(ModalityMap.ModalityCount, modalities.Count);
        var scales = new Matrix(modalities.Count, 1);
        for (var t = 0; t < modalities.Count; t++)
        {
            masks[(int)modalities[t], t] = 1;
            scales[t, 0] = (float)(_problem.ModalityWeights[(int)modalities[t]] / ((double)modalities.CountOf(modalities[t]) * target.Columns));
        }

        var output = Forward(sequence, TorchMatrix.OfSingle(masks, _device));
        return ((output - TorchMatrix.OfSingle(target, _device)).abs() * TorchMatrix.OfSingle(scales, _device)).sum(ScalarType.Float64);
    }

    /// <summary>Whether the gradient of every step is known, and every layer is of an input group.</summary>
    public static bool Knows(SimulationProblem problem) => problem.Exact.Count == 0 && problem.Description.Steps.All(Knows);

    private static bool Knows(BlockStep step) => step is ProjectStep or RotateStep or AttendStep or GateStep or AddStep or DeepstackStep
        or NormalizeStep { Norm.Kind: NormKind.RootMeanSquare }
        or NormalizeHeadsStep { Queries.Kind: NormKind.RootMeanSquare, Keys.Kind: NormKind.RootMeanSquare };

    private Tensor Forward(CalibrationSequence sequence, Tensor masks)
    {
        var (groups, gains) = (new Queue<TorchGroup>(_groups), new Queue<Tensor>(_gains));
        var stream = TorchMatrix.OfSingle(sequence.Quantized, _device);
        var values = new List<Tensor>();
        foreach (var step in _problem.Description.Steps)
        {
            switch (step)
            {
                case NormalizeStep { Norm: var norm }:
                    values.Insert(0, Normed(stream, norm, gains.Dequeue()));
                    break;
                case ProjectStep:
                    values.InsertRange(0, groups.Dequeue().Forward(Take(values), masks));
                    break;
                case NormalizeHeadsStep heads:
                    (values[0], values[1]) = (Normed(values[0], heads.Queries, gains.Dequeue()), Normed(values[1], heads.Keys, gains.Dequeue()));
                    break;
                case RotateStep:
                    var angles = Angles(sequence.Rotary);
                    (values[0], values[1]) = (Rotated(values[0], angles), Rotated(values[1], angles));
                    break;
                case AttendStep attend:
                    values.Insert(0, Attend(attend, Take(values), Take(values), Take(values)));
                    break;
                case GateStep:
                    values.Insert(0, nn.functional.silu(Take(values)) * Take(values));
                    break;
                case DeepstackStep deepstack:
                    stream = stream.Plus(Added(sequence, deepstack.Level));
                    break;
                default:
                    stream = stream.Plus(Take(values));
                    break;
            }
        }

        return stream;
    }

    // By root mean squares, each head's of its own where the norm is of a head's width.
    private static Tensor Normed(Tensor x, NormDescription norm, Tensor gain)
    {
        var rows = x.reshape(x.shape[0], -1, norm.Size);
        return (rows * rows.Squared().mean([-1], keepdim: true).Plus(norm.Epsilon).rsqrt() * gain).reshape(x.shape);
    }

    // What the vision tower has left, [T, H]; zero at other tokens.
    private Tensor Added(CalibrationSequence sequence, int level)
    {
        var rows = new Matrix(sequence.Quantized.Rows, sequence.Quantized.Columns);
        sequence.Deepstack.AddTo(rows, sequence.Modalities, level);
        return TorchMatrix.OfSingle(rows, _device);
    }

    // softmax(q·kᵀ/√d)·v over the tokens up to each; query heads that share keys lie beside each other.
    private static Tensor Attend(AttendStep step, Tensor queries, Tensor keys, Tensor values)
    {
        var (tokens, shared) = (queries.shape[0], step.Heads / step.KeyValueHeads);
        var q = queries.reshape(tokens, step.KeyValueHeads, shared, step.HeadSize).permute(1, 2, 0, 3);
        var (k, v) = (Heads(keys), Heads(values));
        var hidden = ones([tokens, tokens], ScalarType.Bool, queries.device).triu(1);
        var scores = q.matmul(k.transpose(-1, -2)).Over(Math.Sqrt(step.HeadSize)).Without(hidden);
        return scores.softmax(-1).matmul(v).permute(2, 0, 1, 3).reshape(tokens, step.Heads * step.HeadSize);

        Tensor Heads(Tensor x) => x.reshape(tokens, step.KeyValueHeads, 1, step.HeadSize).permute(1, 2, 0, 3);
    }

    // [T, 1, d/2] cosines and sines.
    private (Tensor Cosines, Tensor Sines) Angles(RotaryTable rotary)
    {
        var pairs = rotary.Cosines(0).Length;
        var (cosines, sines) = (new Matrix(rotary.Count, pairs), new Matrix(rotary.Count, pairs));
        for (var t = 0; t < rotary.Count; t++)
        {
            rotary.Cosines(t).CopyTo(cosines.Row(t));
            rotary.Sines(t).CopyTo(sines.Row(t));
        }

        return (TorchMatrix.OfSingle(cosines, _device).unsqueeze(1), TorchMatrix.OfSingle(sines, _device).unsqueeze(1));
    }

    // Pairs are (i, i + d/2).
    private static Tensor Rotated(Tensor x, (Tensor Cosines, Tensor Sines) angles)
    {
        var pairs = angles.Cosines.shape[2];
        var heads = x.reshape(x.shape[0], -1, 2 * pairs);
        var (a, b) = (heads[.., .., ..(int)pairs], heads[.., .., (int)pairs..]);
        return cat([(a * angles.Cosines) - (b * angles.Sines), (b * angles.Cosines).Plus(a * angles.Sines)], 2).reshape(x.shape);
    }

    private static Tensor Take(List<Tensor> values)
    {
        var first = values[0];
        values.RemoveAt(0);
        return first;
    }
}
