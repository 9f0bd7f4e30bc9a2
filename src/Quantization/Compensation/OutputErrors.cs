using MASQuant.Engine.Gemm;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compensation;

/// <summary>Gathers the errors of an input group's outputs without patches, modality by modality, on the very products that the runtime executes.</summary>
internal sealed class OutputErrors
{
    /// <summary>Rows of a modality that wait until there are enough to make passing over K·N sums worth while.</summary>
    public const int PendingRows = 1024;

    private static readonly Modality[] Modalities = Enum.GetValues<Modality>();
    private readonly IGemmBackend _backend;
    private readonly InputTransform _input;
    private readonly QuantizedWeight[] _weights;
    private readonly Slot[] _slots;
    private readonly RowsByModality _smoothed;
    private readonly RowsByModality[] _errors;

    /// <param name="backend">Executes the products.</param>
    /// <param name="factors">Smooth the input.</param>
    /// <param name="weights">The layers without patches.</param>
    /// <param name="slots">Sequences that are computed at the same time, at most.</param>
    /// <param name="occurs">Whether a modality has tokens.</param>
    /// <param name="keepsProduct">Of which modalities P is wanted.</param>
    /// <param name="sums">Where P is summed; null for managed memory.</param>
    public OutputErrors(IGemmBackend backend, SmoothingFactors factors, QuantizedWeight[] weights, int slots, Func<Modality, bool> occurs, Func<Modality, bool> keepsProduct, IRowSums? sums = null)
    {
        (_backend, _input, _weights) = (backend, factors.Input, weights);
        _slots = [.. Enumerable.Range(0, slots).Select(_ => new Slot(weights.Length))];
        Residuals = [.. weights.Select(weight => Modalities.Select(m => occurs(m) ? OutputResidual.Create(weight.Inputs, weight.Outputs, keepsProduct(m), sums) : null).ToArray())];
        _smoothed = new RowsByModality(PendingRows, factors.Inputs, keepsProduct);
        _errors = [.. weights.Select(weight => new RowsByModality(PendingRows, weight.Outputs, keepsProduct))];
    }

    /// <summary>Of each layer, indexed by <see cref="Modality"/>; null where the modality has no tokens.</summary>
    public OutputResidual?[][] Residuals { get; }

    /// <summary>Computes a sequence's errors; sequences in different slots may be computed at the same time.</summary>
    /// <param name="modalities">T entries.</param>
    /// <param name="slot">Where its errors wait for <see cref="Add"/>.</param>
    /// <param name="x">X, [T, K].</param>
    /// <param name="targets">Y of each layer, [T, N]; taken over.</param>
    public void Compute(ModalityMap modalities, int slot, Matrix x, Matrix[] targets)
    {
        var memory = _slots[slot];
        _backend.Prepare(x, modalities, _input, _weights[0].Scheme, memory.Tokens);
        for (var i = 0; i < _weights.Length; i++)
        {
            var output = memory.Output(x.Rows, _weights[i].Outputs);
            _backend.Multiply(memory.Tokens, _weights[i], output);
            var energies = memory.Energies[i] = new (double Signal, double Noise)[ModalityMap.ModalityCount];
            for (var t = 0; t < x.Rows; t++)
            {
                var (signal, noise) = Sqnr.Subtract(targets[i].Row(t), output.Row(t));
                ref var sum = ref energies[(int)modalities[t]];
                sum = (sum.Signal + signal, sum.Noise + noise);
            }
        }

        memory.Errors = targets;
    }

    /// <summary>Adds what was computed in a slot.</summary>
    public void Add(ModalityMap modalities, int slot)
    {
        var memory = _slots[slot];
        foreach (var modality in Modalities)
        {
            var m = (int)modality;
            for (var i = 0; i < _weights.Length; i++)
            {
                Residuals[i][m]?.Add(modalities.CountOf(modality), memory.Energies[i][m].Signal, memory.Energies[i][m].Noise);
            }
        }

        for (var t = 0; t < modalities.Count; t++)
        {
            var modality = modalities[t];
            _smoothed.Add(modality, memory.Tokens.Smoothed.Row(t));
            for (var i = 0; i < _weights.Length; i++)
            {
                _errors[i].Add(modality, memory.Errors[i].Row(t));
            }

            if (_smoothed.IsFull(modality))
            {
                Flush(modality);
            }
        }
    }

    /// <summary>Adds the rows that still wait.</summary>
    public void Finish()
    {
        foreach (var modality in Modalities)
        {
            Flush(modality);
            foreach (var layer in Residuals)
            {
                layer[(int)modality]?.Finish();
            }
        }
    }

    private void Flush(Modality modality)
    {
        var smoothed = _smoothed.Take(modality);
        for (var i = 0; i < _weights.Length; i++)
        {
            var error = _errors[i].Take(modality);
            if (smoothed.Rows > 0)
            {
                Residuals[i][(int)modality]!.AddProduct(smoothed, error);
            }
        }
    }

    private sealed class Slot(int layers)
    {
        private float[] _output = [];

        public PreparedTokens Tokens { get; } = new();

        public (double Signal, double Noise)[][] Energies { get; } = new (double, double)[layers][];

        public Matrix[] Errors { get; set; } = [];

        public Matrix Output(int rows, int columns)
        {
            if (_output.Length < rows * columns)
            {
                _output = new float[rows * columns];
            }

            return new Matrix(rows, columns, _output);
        }
    }
}
