using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compensation;

/// <summary>R_m = Y − Ŷ, the true error of a quantized layer's output on the tokens of a modality: of its weight, of its activations and of whatever earlier layers handed on. Of it are kept its energy and, where a patch will be fitted, P = (X_m/s_m)ᵀ·R_m. Gathered sample by sample.</summary>
internal abstract class OutputResidual
{
    private protected OutputResidual(int inputs, int outputs) => (Inputs, Outputs) = (inputs, outputs);

    /// <summary>K.</summary>
    public int Inputs { get; }

    /// <summary>N.</summary>
    public int Outputs { get; }

    /// <summary>T, the rows that were added.</summary>
    public long Tokens { get; private set; }

    /// <summary>‖Y‖².</summary>
    public double Signal { get; private set; }

    /// <summary>‖R‖², the squared error without a patch.</summary>
    public double Energy { get; private set; }

    /// <summary>Starts empty, in the precision of a <see cref="GramMatrix"/> of the same K.</summary>
    /// <param name="inputs">K.</param>
    /// <param name="outputs">N.</param>
    /// <param name="keepsProduct">Whether P is wanted.</param>
    /// <param name="sums">Where P is summed; null for managed memory.</param>
    public static OutputResidual Create(int inputs, int outputs, bool keepsProduct = true, IRowSums? sums = null)
        => inputs <= GramMatrix.MaxWideInputs ? new OutputResidual<double>(inputs, outputs, keepsProduct, sums) : new OutputResidual<float>(inputs, outputs, keepsProduct, sums);

    /// <summary>Adds energies of rows.</summary>
    /// <param name="tokens">How many rows.</param>
    /// <param name="signal">Of their target.</param>
    /// <param name="noise">Of their error.</param>
    public void Add(int tokens, double signal, double noise) => (Tokens, Signal, Energy) = (Tokens + tokens, Signal + signal, Energy + noise);

    /// <summary>Adds rows to P, if that is kept.</summary>
    /// <param name="smoothed">X/s, [T, K].</param>
    /// <param name="error">R, [T, N].</param>
    public abstract void AddProduct(Matrix smoothed, Matrix error);

    /// <summary>To be called after the last rows.</summary>
    public abstract void Finish();
}
