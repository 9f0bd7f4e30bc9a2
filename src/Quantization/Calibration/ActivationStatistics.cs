using MASQuant.Diagnostics;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Calibration;

/// <summary>What calibration keeps of the activations X_m that enter one input group, modality by modality: their number, the range of every channel and the Gram matrix. The activations themselves are not kept.</summary>
public sealed class ActivationStatistics
{
    private readonly float[]?[] _ranges = new float[]?[ModalityMap.ModalityCount];
    private readonly GramMatrix?[] _grams = new GramMatrix?[ModalityMap.ModalityCount];
    private readonly long[] _tokens = new long[ModalityMap.ModalityCount];
    private readonly bool _keepsGram;
    private readonly IRowSums? _sums;

    /// <summary>Starts empty.</summary>
    /// <param name="name">The input group in messages, for example <c>model.layers.0 qkv</c>.</param>
    /// <param name="inputs">K.</param>
    /// <param name="keepsGram">Whether Gram matrices are wanted; ranges alone are cheap.</param>
    /// <param name="sums">Where Gram matrices are summed; null for managed memory.</param>
    public ActivationStatistics(string name, int inputs, bool keepsGram = true, IRowSums? sums = null)
    {
        Name = name;
        Inputs = inputs;
        _keepsGram = keepsGram;
        _sums = sums;
    }

    /// <summary>The input group in messages.</summary>
    public string Name { get; }

    /// <summary>K.</summary>
    public int Inputs { get; }

    /// <summary>Adds a sample's activations.</summary>
    /// <param name="x">[T, K].</param>
    /// <param name="modalities">T entries.</param>
    /// <exception cref="MASQuantException">MASQ0510: a value is not finite.</exception>
    public void Add(Matrix x, ModalityMap modalities)
    {
        for (var t = 0; t < x.Rows; t++)
        {
            var index = (int)modalities[t];
            ChannelRange.Widen(_ranges[index] ??= new float[Inputs], x.Row(t));
            _tokens[index]++;
            if (_keepsGram)
            {
                (_grams[index] ??= GramMatrix.Create(Inputs, _sums)).Add(x.Row(t));
            }
        }

        foreach (var modality in Enum.GetValues<Modality>().Where(modality => modalities.CountOf(modality) > 0))
        {
            CheckFinite(modality);
        }
    }

    /// <summary>Adds the rows that still wait, and lets go of the memory in which they did.</summary>
    public void Finish()
    {
        foreach (var gram in _grams.OfType<GramMatrix>())
        {
            gram.Finish();
        }
    }

    /// <summary>T_m.</summary>
    public long TokenCount(Modality modality) => _tokens[(int)modality];

    /// <summary>max_t |x_{t,i}| per channel, K values; empty when the modality has no tokens.</summary>
    public ReadOnlySpan<float> AbsMax(Modality modality) => _ranges[(int)modality];

    /// <summary>The range over all modalities, K values.</summary>
    public float[] AbsMax()
    {
        var all = new float[Inputs];
        foreach (var ranges in _ranges.OfType<float[]>())
        {
            ChannelRange.Widen(all, new Matrix(1, Inputs, ranges));
        }

        return all;
    }

    /// <summary>C_m = X_mᵀX_m, or null when the modality has no tokens.</summary>
    public GramMatrix? Gram(Modality modality) => _grams[(int)modality];

    /// <summary><see cref="Gram"/>, which is then the caller's: these statistics let go of it.</summary>
    public GramMatrix? TakeGram(Modality modality)
    {
        var gram = Gram(modality);
        _grams[(int)modality] = null;
        return gram;
    }

    /// <summary>Σ_m λ_m/T_m·Z_mᵀZ_m with Z_m = X_m/s_m, rotated where the factors say so: what an error of the stored weight costs an average token.</summary>
    /// <param name="factors">s_m.</param>
    /// <param name="weights">λ_m, indexed by <see cref="Modality"/>.</param>
    /// <param name="keeps">Which C_m are still wanted; the others are let go of, and the first becomes the sum where it lies. By default all are kept.</param>
    public GramMatrix SmoothedGram(SmoothingFactors factors, ReadOnlySpan<double> weights, Func<Modality, bool>? keeps = null)
    {
        GramMatrix? sum = null;
        foreach (var modality in Enum.GetValues<Modality>())
        {
            var kept = keeps is null || keeps(modality);
            if (Gram(modality) is { } gram && weights[(int)modality] > 0)
            {
                var weight = weights[(int)modality] / gram.Tokens;
                if (sum is null && !kept)
                {
                    sum = gram;
                    sum.SmoothInPlace(weight, factors[modality].Inverse);
                }
                else
                {
                    (sum ??= GramMatrix.Create(Inputs)).AddSmoothed(weight, gram, factors[modality].Inverse);
                }
            }

            _grams[(int)modality] = kept ? _grams[(int)modality] : null;
        }

        sum ??= GramMatrix.Create(Inputs);
        sum.Rotate(factors.Base.RotationBlock);
        return sum;
    }

    private void CheckFinite(Modality modality)
    {
        var channel = _ranges[(int)modality].AsSpan().IndexOfAnyExceptInRange(0, float.MaxValue);
        if (channel >= 0)
        {
            throw new MASQuantException(DiagnosticCodes.ActivationNotFinite, null,
                $"The {modality} activations that enter {Name} are not finite in channel {channel}. Check the checkpoint for damaged weights, and the calibration sample for damaged media.");
        }
    }
}
