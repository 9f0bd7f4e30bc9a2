using MASQuant.Engine.Tensors;
using MASQuant.Quantization.Numerics;

namespace MASQuant.Quantization.Factors;

/// <summary>s_m: activations of modality m are divided by it, weight columns multiplied; then both may be rotated, which leaves their product. Only 1/s is stored, since that is what the runtime multiplies by; s is defined as the FP32 reciprocal of what is stored, so that both sides agree. Immutable.</summary>
public sealed class SmoothingFactor
{
    /// <summary>The smallest factor (paper, after Eq. 12).</summary>
    public const float Smallest = 1e-5f;

    private readonly float[] _inverse;

    private SmoothingFactor(float[] inverse, int rotationBlock = 0)
    {
        (_inverse, RotationBlock) = (inverse, rotationBlock);
        Values = new float[inverse.Length];
        for (var k = 0; k < inverse.Length; k++)
        {
            if (!(inverse[k] > 0) || !float.IsFinite(inverse[k]) || !float.IsFinite(1 / inverse[k]))
            {
                throw new ArgumentOutOfRangeException(nameof(inverse), $"1/s[{k}] is {inverse[k]}.");
            }

            Values[k] = 1 / inverse[k];
        }
    }

    /// <summary>K.</summary>
    public int Count => _inverse.Length;

    /// <summary>1/s, K values: what the artifact stores.</summary>
    public float[] Inverse => _inverse;

    /// <summary>s, K values.</summary>
    public float[] Values { get; }

    /// <summary>The block of <see cref="BlockHadamard"/> by which what is smoothed is rotated afterwards; 0 for none.</summary>
    public int RotationBlock { get; }

    /// <summary>The factor that is nearest to <paramref name="factor"/>, K positive values, clamped at <see cref="Smallest"/>.</summary>
    public static SmoothingFactor FromValues(ReadOnlySpan<float> factor)
    {
        var inverse = new float[factor.Length];
        for (var k = 0; k < inverse.Length; k++)
        {
            inverse[k] = 1 / Math.Max(factor[k], Smallest);
        }

        return new SmoothingFactor(inverse);
    }

    /// <summary>The factor whose inverse is stored as <paramref name="inverse"/>; takes the array over.</summary>
    public static SmoothingFactor FromInverse(float[] inverse) => new(inverse);

    /// <summary>The factor that changes nothing.</summary>
    public static SmoothingFactor Ones(int inputs)
    {
        var inverse = new float[inputs];
        Array.Fill(inverse, 1f);
        return new SmoothingFactor(inverse);
    }

    /// <summary>The same factor, followed by a rotation.</summary>
    /// <param name="block">A power of two that divides K; 0 for none.</param>
    public SmoothingFactor Rotated(int block) => new(_inverse, block);

    /// <summary>(s ⊙ W)·H: column k multiplied by s_k, rows then rotated. [N, K], a new matrix.</summary>
    public Matrix ScaleWeight(Matrix weight) => ScaleAndRotate(weight, Values);

    /// <summary>(X / s)·H as the runtime computes it. [T, K], a new matrix.</summary>
    public Matrix Smooth(Matrix x) => ScaleAndRotate(x, Inverse);

    /// <summary>H·S⁻¹·C·S⁻¹·H: the Gram matrix of what <see cref="Smooth(Matrix)"/> makes of the rows of C. A new matrix.</summary>
    public GramMatrix Smooth(GramMatrix gram)
    {
        var smoothed = gram.Smooth(Inverse);
        smoothed.Rotate(RotationBlock);
        return smoothed;
    }

    /// <summary><see cref="Smooth(GramMatrix)"/> where C lies.</summary>
    public void SmoothInPlace(GramMatrix gram)
    {
        gram.SmoothInPlace(1, Inverse);
        gram.Rotate(RotationBlock);
    }

    private Matrix ScaleAndRotate(Matrix matrix, float[] scales)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(matrix.Columns, scales.Length);
        LargeBuffers.Reserve<float>((long)matrix.Rows * matrix.Columns);
        var scaled = new Matrix(matrix.Rows, matrix.Columns);
        Workers.For(matrix.Rows, i =>
        {
            var source = matrix.Row(i);
            var target = scaled.Row(i);
            for (var k = 0; k < target.Length; k++)
            {
                target[k] = source[k] * scales[k];
            }
        });
        BlockHadamard.Apply(scaled, RotationBlock);
        return scaled;
    }
}
