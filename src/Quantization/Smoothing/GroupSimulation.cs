using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Tensors;
using MASQuant.Quantization.Calibration;

namespace MASQuant.Quantization.Smoothing;

/// <summary>One input group as it will be executed, with gradients for its factors (paper Eq. 13 and 29):
/// Y_i = Q_a(X_m/s_m·H)·Q_w((s_b⊙W_i)·H)ᵀ + (X_m/s_m)[D_m]·((s_m−s_b)⊙W_i)[D_m]ᵀ + b_i, H the rotation where there is one, where D_m are the channels in which modality m deviates from the base: what a patch of rank |D_m| carries exactly.
/// When a modality deviates in every channel it meets a weight of its own, Q_w(s_m⊙W), as in the paper.</summary>
internal sealed class GroupSimulation : ISimulatedGroup
{
    private readonly IReadOnlyList<Matrix> _weights;
    private readonly IReadOnlyList<float[]> _biases;
    private readonly QuantizationScheme _scheme;
    private readonly int _rotationBlock;
    private readonly FakeQuantizedWeight[]?[] _variants = new FakeQuantizedWeight[]?[ModalityMap.ModalityCount];
    private readonly float[][] _factors = new float[ModalityMap.ModalityCount][];
    private readonly float[][] _inverses = new float[ModalityMap.ModalityCount][];
    private ModalityMap _modalities = ModalityMap.Text(0);
    private int[][] _rows = [];
    private Matrix _smoothed = new(0, 0);
    private Matrix _rotated = new(0, 0);
    private Matrix _rounded = new(0, 0);
    private int[] _peaks = [];

    /// <param name="weights">W_i, [N_i, K].</param>
    /// <param name="biases">b_i, N_i values or none.</param>
    /// <param name="factors">The group's factors.</param>
    /// <param name="scheme">Bits.</param>
    /// <param name="groupSize">Inputs that share a second-level scale, or 0.</param>
    /// <param name="rotationBlock">The block of H; 0 for none.</param>
    public GroupSimulation(IReadOnlyList<Matrix> weights, IReadOnlyList<float[]> biases, GroupFactors factors, QuantizationScheme scheme, int groupSize = 0, int rotationBlock = 0)
    {
        _weights = weights;
        _biases = biases;
        _scheme = scheme;
        _rotationBlock = rotationBlock;
        Factors = factors;
        foreach (var modality in Enum.GetValues<Modality>())
        {
            if (OwnsWeight(modality))
            {
                _variants[(int)modality] = [.. weights.Select(w => new FakeQuantizedWeight(w, scheme, groupSize, rotationBlock))];
            }
        }

        Refresh();
    }

    /// <summary>The factors; call <see cref="Refresh"/> after changing them.</summary>
    public GroupFactors Factors { get; }

    /// <summary>Recomputes what depends on the factors alone.</summary>
    public void Refresh()
    {
        foreach (var modality in Enum.GetValues<Modality>())
        {
            var factor = Factors.Factor(modality);
            _factors[(int)modality] = factor;
            _inverses[(int)modality] = [.. factor.Select(s => 1 / s)];
            foreach (var weight in _variants[(int)modality] ?? [])
            {
                weight.Refresh(factor);
            }
        }
    }

    /// <summary>Y_i [T, N_i] of X [T, K].</summary>
    public Matrix[] Forward(Matrix x, ModalityMap modalities)
    {
        _modalities = modalities;
        _rows = TokenRows.Split(modalities);
        Round(x);
        var outputs = new Matrix[_weights.Count];
        for (var i = 0; i < outputs.Length; i++)
        {
            outputs[i] = new Matrix(x.Rows, _weights[i].Rows);
            AddBias(outputs[i], _biases[i]);
            foreach (var (rows, modality) in WeightRows())
            {
                var part = new Matrix(rows.Length, _weights[i].Rows);
                FloatGemm.Multiply(TokenRows.Gather(_rounded, rows), transposeA: false, _variants[(int)modality]![i].Rounded, transposeB: true, part, accumulate: false);
                TokenRows.AddTo(part, rows, outputs[i]);
            }

            foreach (var (rows, modality, channels) in DeviatingRows())
            {
                var part = new Matrix(rows.Length, _weights[i].Rows);
                FloatGemm.Multiply(TokenRows.Gather(_smoothed, rows, channels), transposeA: false, Drift(_weights[i], modality, channels), transposeB: true, part, accumulate: false);
                TokenRows.AddTo(part, rows, outputs[i]);
            }
        }

        return outputs;
    }

    /// <summary>Adds to the factors' gradients and returns ∂loss/∂X, given ∂loss/∂Y_i of the last <see cref="Forward"/>.</summary>
    public Matrix Backward(IReadOnlyList<Matrix> outputGradients)
    {
        var gradient = new Matrix(_smoothed.Rows, _smoothed.Columns);
        var byFactor = new float[ModalityMap.ModalityCount][];
        for (var m = 0; m < byFactor.Length; m++)
        {
            byFactor[m] = new float[Factors.Inputs];
        }

        for (var i = 0; i < _weights.Count; i++)
        {
            foreach (var (rows, modality) in WeightRows())
            {
                var part = TokenRows.Gather(outputGradients[i], rows);
                var weight = _variants[(int)modality]![i];
                var inputGradient = new Matrix(rows.Length, Factors.Inputs);
                FloatGemm.Multiply(part, transposeA: false, weight.Rounded, transposeB: false, inputGradient, accumulate: false);
                TokenRows.AddTo(inputGradient, rows, gradient);
                weight.AddFactorGradient(part, TokenRows.Gather(_rounded, rows), _factors[(int)modality], byFactor[(int)modality]);
            }
        }

        if (_scheme.QuantizesActivations)
        {
            for (var t = 0; t < gradient.Rows; t++)
            {
                FakeQuantizer.AddScaleGradient(_rotated.Row(t), _rounded.Row(t), _peaks[t], gradient.Row(t));
            }
        }

        // From here on it is ∂loss/∂(X_m/s_m): H is symmetric.
        BlockHadamard.Apply(gradient, _rotationBlock);

        for (var i = 0; i < _weights.Count; i++)
        {
            foreach (var (rows, modality, channels) in DeviatingRows())
            {
                AddDriftGradient(_weights[i], TokenRows.Gather(outputGradients[i], rows), rows, modality, channels, gradient);
            }
        }

        for (var t = 0; t < gradient.Rows; t++)
        {
            var row = gradient.Row(t);
            var modality = (int)_modalities[t];
            SubtractProduct(row, _smoothed.Row(t), byFactor[modality]);
            VectorProduct.Multiply(row, _inverses[modality], row);
        }

        for (var m = 0; m < byFactor.Length; m++)
        {
            for (var k = 0; k < Factors.Inputs; k++)
            {
                Factors.AddGradient((Modality)m, k, byFactor[m][k]);
            }
        }

        return gradient;
    }

    private bool OwnsWeight(Modality modality) => modality == Modality.Text || Factors.Deviating[(int)modality].Length == Factors.Inputs;

    // Which rows meet which stored weight.
    private IEnumerable<(int[] Rows, Modality Weight)> WeightRows()
    {
        var shared = Enumerable.Range(0, _modalities.Count).Where(t => _modalities[t] == Modality.Text || !OwnsWeight(_modalities[t])).ToArray();
        if (shared.Length > 0)
        {
            yield return (shared, Modality.Text);
        }

        foreach (var modality in Enum.GetValues<Modality>())
        {
            if (modality != Modality.Text && OwnsWeight(modality) && _rows[(int)modality].Length > 0)
            {
                yield return (_rows[(int)modality], modality);
            }
        }
    }

    private IEnumerable<(int[] Rows, Modality Modality, int[] Channels)> DeviatingRows()
    {
        foreach (var modality in Enum.GetValues<Modality>())
        {
            var channels = Factors.Deviating[(int)modality];
            if (channels.Length > 0 && !OwnsWeight(modality) && _rows[(int)modality].Length > 0)
            {
                yield return (_rows[(int)modality], modality, channels);
            }
        }
    }

    private void Round(Matrix x)
    {
        _smoothed = new Matrix(x.Rows, x.Columns);
        for (var t = 0; t < x.Rows; t++)
        {
            VectorProduct.Multiply(x.Row(t), _inverses[(int)_modalities[t]], _smoothed.Row(t));
        }

        _rotated = _rounded = _rotationBlock > 0 ? BlockHadamard.Rotate(_smoothed, _rotationBlock) : _smoothed;
        if (_scheme.QuantizesActivations)
        {
            _rounded = new Matrix(x.Rows, x.Columns);
            _peaks = new int[x.Rows];
            for (var t = 0; t < x.Rows; t++)
            {
                _peaks[t] = FakeQuantizer.Round(_rotated.Row(t), _scheme.ActivationMax, _rounded.Row(t));
            }
        }
    }

    // ((s_m − s_b)⊙W)[D], [N, |D|].
    private Matrix Drift(Matrix weight, Modality modality, int[] channels)
    {
        var drift = new Matrix(weight.Rows, channels.Length);
        for (var n = 0; n < weight.Rows; n++)
        {
            for (var j = 0; j < channels.Length; j++)
            {
                var k = channels[j];
                drift[n, j] = (_factors[(int)modality][k] - _factors[(int)Modality.Text][k]) * weight[n, k];
            }
        }

        return drift;
    }

    private void AddDriftGradient(Matrix weight, Matrix outputGradient, int[] rows, Modality modality, int[] channels, Matrix gradient)
    {
        var input = TokenRows.Gather(_smoothed, rows, channels);
        var inputGradient = new Matrix(rows.Length, channels.Length);
        FloatGemm.Multiply(outputGradient, transposeA: false, Drift(weight, modality, channels), transposeB: false, inputGradient, accumulate: false);
        var weightGradient = new Matrix(weight.Rows, channels.Length);
        FloatGemm.Multiply(outputGradient, transposeA: true, input, transposeB: false, weightGradient, accumulate: false);
        for (var j = 0; j < channels.Length; j++)
        {
            var k = channels[j];
            for (var i = 0; i < rows.Length; i++)
            {
                gradient[rows[i], k] += inputGradient[i, j];
            }

            var towardsDrift = 0f;
            for (var n = 0; n < weight.Rows; n++)
            {
                towardsDrift = MathF.FusedMultiplyAdd(weightGradient[n, j], weight[n, k], towardsDrift);
            }

            Factors.AddGradient(modality, k, towardsDrift * _factors[(int)modality][k]);
            Factors.AddGradient(Modality.Text, k, -towardsDrift * _factors[(int)Modality.Text][k]);
        }
    }

    private static void SubtractProduct(ReadOnlySpan<float> a, ReadOnlySpan<float> b, Span<float> sum)
    {
        for (var k = 0; k < a.Length; k++)
        {
            sum[k] -= a[k] * b[k];
        }
    }

    private static void AddBias(Matrix y, float[] bias)
    {
        for (var t = 0; bias.Length > 0 && t < y.Rows; t++)
        {
            bias.CopyTo(y.Row(t));
        }
    }
}
