using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Compensation;

/// <summary>P = (X_m/s_m)ᵀ·R_m with R_m = Y − Ŷ, the true error of a quantized layer's output: of its weight, of its activations and of whatever earlier layers handed on. Gathered sample by sample.</summary>
internal abstract class OutputResidual
{
    private protected OutputResidual(int inputs, int outputs) => (Inputs, Outputs) = (inputs, outputs);

    /// <summary>K.</summary>
    public int Inputs { get; }

    /// <summary>N.</summary>
    public int Outputs { get; }

    /// <summary>T, the rows that were added.</summary>
    public long Tokens { get; private protected set; }

    /// <summary>‖R‖², the squared error without a patch.</summary>
    public double Energy { get; private protected set; }

    /// <summary>Starts empty, in the precision of a <see cref="GramMatrix"/> of the same K.</summary>
    public static OutputResidual Create(int inputs, int outputs)
        => inputs <= GramMatrix.MaxWideInputs ? new OutputResidual<double>(inputs, outputs) : new OutputResidual<float>(inputs, outputs);

    /// <summary>Adds the rows of one modality.</summary>
    /// <param name="smoothed">X/s, [T, K].</param>
    /// <param name="target">The wanted output, [T, N].</param>
    /// <param name="output">The unpatched output, [T, N].</param>
    public abstract void Add(Matrix smoothed, Matrix target, Matrix output);
}
