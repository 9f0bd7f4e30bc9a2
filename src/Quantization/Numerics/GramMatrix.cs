namespace MASQuant.Quantization.Numerics;

/// <summary>C = XᵀX of the activations that enter a linear layer: all that whitening and error feedback need to know of them.</summary>
public abstract class GramMatrix
{
    /// <summary>The largest K that is kept in FP64; beyond it K² doubles would crowd out everything else.</summary>
    public const int MaxWideInputs = 8192;

    /// <summary>Rows that wait until there are enough to make passing over K² sums worth while.</summary>
    internal const int PendingRows = 1024;

    private protected GramMatrix(int inputs) => Inputs = inputs;

    /// <summary>K.</summary>
    public int Inputs { get; }

    /// <summary>T, the number of rows that were added.</summary>
    public long Tokens { get; protected set; }

    /// <summary>An empty matrix, in the precision that K allows.</summary>
    /// <param name="inputs">K.</param>
    /// <param name="sums">Where rows are summed; null for managed memory.</param>
    public static GramMatrix Create(int inputs, IRowSums? sums = null) => inputs <= MaxWideInputs ? new GramMatrix<double>(inputs, sums) : new GramMatrix<float>(inputs, sums);

    /// <summary>Adds the rows of <paramref name="x"/>, [T, K].</summary>
    public void Add(Matrix x)
    {
        for (var row = 0; row < x.Rows; row++)
        {
            Add(x.Row(row));
        }
    }

    /// <summary>Adds a row of K values.</summary>
    public abstract void Add(ReadOnlySpan<float> row);

    /// <summary>Adds the rows that still wait, and lets go of the memory in which they did.</summary>
    public abstract void Finish();

    /// <summary>S⁻¹·C·S⁻¹, the Gram matrix of X / s.</summary>
    public abstract GramMatrix Smooth(float[] inverse);

    /// <summary>C in a matrix of its own.</summary>
    public abstract GramMatrix Copy();

    /// <summary>C += weight·S⁻¹·<paramref name="other"/>·S⁻¹, without a copy of <paramref name="other"/>, which is of the same precision and whose rows count as added.</summary>
    public abstract void AddSmoothed(double weight, GramMatrix other, float[] inverse);

    /// <summary>C ← weight·S⁻¹·C·S⁻¹, with the very values that <see cref="AddSmoothed"/> would leave in an empty matrix.</summary>
    public abstract void SmoothInPlace(double weight, float[] inverse);

    /// <summary>C ← H·C·H, the Gram matrix of rows that <c>BlockHadamard</c> rotates by <paramref name="block"/>; 0 changes nothing.</summary>
    public abstract void Rotate(int block);

    /// <summary>The mean of the diagonal: the average energy of a channel.</summary>
    public abstract double MeanDiagonal { get; }
}
