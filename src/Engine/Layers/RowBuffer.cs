namespace MASQuant.Engine.Layers;

/// <summary>A matrix that is used again: memory follows the longest run of rows.</summary>
/// <param name="columns">K.</param>
internal sealed class RowBuffer(int columns)
{
    private Matrix _matrix = new(0, columns);

    /// <summary>K.</summary>
    public int Columns => columns;

    /// <summary>The buffer as a matrix [T, K]; what it holds is what was left there.</summary>
    public Matrix Rows(int rows)
    {
        if (_matrix.Rows != rows)
        {
            _matrix = (long)rows * columns <= _matrix.Data.Length ? new Matrix(rows, columns, _matrix.Data) : new Matrix(rows, columns);
        }

        return _matrix;
    }

    /// <summary>Whether a matrix lies here.</summary>
    public bool Holds(Matrix matrix) => ReferenceEquals(matrix.Data, _matrix.Data);
}
