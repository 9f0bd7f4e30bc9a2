using MASQuant.Engine.Generation;
using MASQuant.Quantization.Numerics;
using MathNet.Numerics.LinearAlgebra;

namespace MASQuant.Quantization.Tests.Numerics;

/// <summary>Seeded inputs, and the bridge to MathNet, the independent oracle.</summary>
internal static class RandomMatrices
{
    public static RealMatrix<double> Real(int rows, int columns, ulong seed)
    {
        var random = new RandomSequence(seed);
        var matrix = new RealMatrix<double>(rows, columns);
        for (var i = 0; i < matrix.Data.Length; i++)
        {
            matrix.Data[i] = random.NextSigned();
        }

        return matrix;
    }

    public static Matrix Single(int rows, int columns, ulong seed) => Real(rows, columns, seed).ToMatrix();

    /// <summary>Activations with correlated channels of different ranges, as layers see them.</summary>
    public static Matrix Activations(int tokens, int inputs, ulong seed)
    {
        var mixed = Real(tokens, inputs, seed).ToMathNet() * (Real(inputs, inputs, seed + 1).ToMathNet() + Matrix<double>.Build.DenseIdentity(inputs));
        var x = new Matrix(tokens, inputs);
        for (var t = 0; t < tokens; t++)
        {
            for (var k = 0; k < inputs; k++)
            {
                x[t, k] = (float)(mixed[t, k] * (1 + (k % 7)));
            }
        }

        return x;
    }

    /// <summary>XᵀX + damping·mean(diag)·I.</summary>
    public static Matrix<double> Gram(Matrix x, double damping = 0)
    {
        var values = x.ToMathNet();
        var gram = values.TransposeThisAndMultiply(values);
        return gram + (Matrix<double>.Build.DenseIdentity(x.Columns) * (damping * gram.Diagonal().Average()));
    }

    public static Matrix<double> ToMathNet(this RealMatrix<double> matrix) => Matrix<double>.Build.Dense(matrix.Rows, matrix.Columns, (i, j) => matrix[i, j]);

    public static Matrix<double> ToMathNet(this Matrix matrix) => Matrix<double>.Build.Dense(matrix.Rows, matrix.Columns, (i, j) => matrix[i, j]);

    public static RealMatrix<double> FromMathNet(Matrix<double> matrix)
    {
        var real = new RealMatrix<double>(matrix.RowCount, matrix.ColumnCount);
        for (var i = 0; i < real.Rows; i++)
        {
            for (var j = 0; j < real.Columns; j++)
            {
                real[i, j] = matrix[i, j];
            }
        }

        return real;
    }

    public static double RelativeDistance(Matrix<double> expected, Matrix<double> actual) => (expected - actual).FrobeniusNorm() / expected.FrobeniusNorm();
}
