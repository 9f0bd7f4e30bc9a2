using MASQuant.Quantization.Smoothing;
using MASQuant.Torch.Algebra;
using static TorchSharp.torch;

namespace MASQuant.Torch.Learning;

/// <summary>One input group as it will be executed (paper Eq. 13 and 29), for libtorch to differentiate:
/// Y_i = Q_a(X_m/s_m·H)·Q_w((s_b⊙W_i)·H)ᵀ + (X_m/s_m)[D_m]·((s_m−s_b)⊙W_i)[D_m]ᵀ + b_i. A modality that deviates in every channel meets a weight of its own, Q_w((s_m⊙W)·H).</summary>
internal sealed class TorchGroup : IDisposable
{
    private const int Base = (int)Modality.Text;
    private readonly SimulatedLayers _layers;
    private readonly Tensor[] _weights;
    private readonly Tensor?[] _biases;
    private readonly Tensor[] _owns;
    private readonly Tensor?[] _channels;
    private readonly Rotation _rotation;
    private readonly Tensor _logarithms;
    private (Tensor Factors, Tensor[][] Rounded)? _kept;

    public TorchGroup(SimulatedLayers layers, Device device)
    {
        using var scope = NewDisposeScope();
        _layers = layers;
        _weights = [.. layers.Weights.Select(weight => TorchMatrix.OfSingle(weight, device))];
        _biases = [.. layers.Biases.Select(bias => bias.Length == 0 ? null : TorchMatrix.OfSingle(new Matrix(1, bias.Length, bias), device))];
        var factors = layers.Factors;
        _owns = [.. factors.Deviating.Select((channels, m) => Mask(m == Base ? [.. Enumerable.Range(0, factors.Inputs)] : channels, factors.Inputs, device))];
        _channels = [.. factors.Deviating.Select((channels, m) => m == Base || channels.Length == 0 || OwnsWeight(m) ? null : tensor(channels, ScalarType.Int64, device))];
        _rotation = new Rotation(layers.RotationBlock, device);
        _logarithms = zeros([factors.Logarithms.Length, factors.Inputs], device: device);
        foreach (var kept in Kept)
        {
            kept.DetachFromDisposeScope();
        }

        Refresh();
    }

    /// <summary>Takes over the factors' values.</summary>
    public void Refresh()
    {
        using var scope = NewDisposeScope();
        using var untracked = no_grad();
        for (var m = 0; m < _layers.Factors.Logarithms.Length; m++)
        {
            _logarithms[m].copy_(tensor(_layers.Factors.Logarithms[m]));
        }

        Forget();
    }

    /// <summary>Begins to record what is differentiated.</summary>
    public void Record()
    {
        _logarithms.requires_grad = true;
        Forget();
    }

    /// <summary>Adds what was recorded to the factors' gradients.</summary>
    public void TakeGradient()
    {
        using var gradient = _logarithms.grad?.cpu();
        for (var m = 0; m < _layers.Factors.Gradients.Length && gradient is not null; m++)
        {
            using var row = gradient[m];
            var (sums, values) = (_layers.Factors.Gradients[m], row.data<float>().ToArray());
            for (var k = 0; k < sums.Length; k++)
            {
                sums[k] += values[k];
            }
        }

        _logarithms.grad = null;
        _logarithms.requires_grad = false;
    }

    /// <summary>Y_i [T, N_i] of X [T, K].</summary>
    /// <param name="x">[T, K].</param>
    /// <param name="masks">[modalities, T]: 1 where a token is of the modality.</param>
    public Tensor[] Forward(Tensor x, Tensor masks)
    {
        var (factors, rounded) = _kept ?? Weights();
        var smoothed = x * masks.t().mm(factors.reciprocal());
        var rotated = _rotation.Apply(smoothed);
        var input = _layers.Scheme.QuantizesActivations ? FakeQuantization.Symmetric(rotated, _layers.Scheme.ActivationMax, _layers.Factors.Inputs) : rotated;
        return [.. _weights.Select((weight, i) => Output(weight, i))];

        Tensor Output(Tensor weight, int i)
        {
            var shared = Enumerable.Range(0, rounded.Length).Where(m => m == Base || rounded[m].Length == 0).ToArray();
            var y = Masked(input, masks, shared).mm(rounded[Base][i].t());
            for (var m = 0; m < rounded.Length; m++)
            {
                if (m != Base && rounded[m].Length > 0)
                {
                    y = y.Plus(Masked(input, masks, [m]).mm(rounded[m][i].t()));
                }
                else if (_channels[m] is { } channels)
                {
                    var drift = (factors[m] - factors[Base]).index_select(0, channels) * weight.index_select(1, channels);
                    y = y.Plus(Masked(smoothed.index_select(1, channels), masks, [m]).mm(drift.t()));
                }
            }

            return _biases[i] is { } bias ? y.Plus(bias) : y;
        }
    }

    public void Dispose()
    {
        Forget();
        foreach (var kept in Kept)
        {
            kept.Dispose();
        }
    }

    private IEnumerable<Tensor> Kept => [.. _weights, .. _owns, .. _biases.OfType<Tensor>(), .. _channels.OfType<Tensor>(), _logarithms, .. _rotation.Tensors];

    // s_m, [modalities, K], and Q_w for the base and for modalities with a weight of their own. While nothing is recorded they are kept from sequence to sequence.
    private (Tensor Factors, Tensor[][] Rounded) Weights()
    {
        var factors = stack([.. _owns.Select((owns, m) => where(owns, _logarithms[m], _logarithms[Base]).exp())]);
        var rounded = _owns.Select((_, m) => m == Base || OwnsWeight(m) ? _weights.Select(weight => Rounded(_rotation.Apply(weight * factors[m]))).ToArray() : []).ToArray();
        if (!_logarithms.requires_grad)
        {
            _kept = (factors.DetachFromDisposeScope(), [.. rounded.Select(weights => weights.Select(weight => weight.DetachFromDisposeScope()).ToArray())]);
        }

        return (factors, rounded);
    }

    private Tensor Rounded(Tensor weight)
        => _layers.Scheme.QuantizesActivations
            ? FakeQuantization.Symmetric(weight, _layers.Scheme.WeightMax, _layers.GroupSize > 0 ? _layers.GroupSize : _layers.Factors.Inputs)
            : FakeQuantization.Asymmetric(weight);

    private void Forget()
    {
        if (_kept is var (factors, rounded))
        {
            factors.Dispose();
            foreach (var weight in rounded.SelectMany(weights => weights))
            {
                weight.Dispose();
            }
        }

        _kept = null;
    }

    private bool OwnsWeight(int modality) => modality == Base || _layers.Factors.Deviating[modality].Length == _layers.Factors.Inputs;

    private static Tensor Masked(Tensor x, Tensor masks, int[] modalities)
        => modalities.Length == masks.shape[0] ? x : x * modalities.Select(m => masks[m]).Aggregate((a, b) => a.Plus(b)).unsqueeze(1);

    private static Tensor Mask(int[] channels, int inputs, Device device)
    {
        var owned = new bool[inputs];
        foreach (var channel in channels)
        {
            owned[channel] = true;
        }

        return tensor(owned, device: device);
    }
}
