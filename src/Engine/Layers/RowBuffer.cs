namespace MASQuant.Engine.Layers;

/// <summary>A matrix that is used again: memory follows the longest run of rows.</summary>
/// <param name="columns">K.</param>
internal sealed class RowBuffer(int columns)
{
    // A decode step's rows change from step to step.
    private readonly Matrix?[] _few = new Matrix?[17];
    private Matrix _matrix = new(0, columns);

    /// <summary>K.</summary>
    public int Columns => columns;

    /// <summary>How many values have room.</summary>
    public long Room => _matrix.Data.LongLength;

    /// <summary>The buffer as a matrix [T, K]; what it holds is what was left there.</summary>
    public Matrix Rows(int rows)
    {
        if (_matrix.Rows == rows)
        {
            return _matrix;
        }

        if (rows < _few.Length && _few[rows] is { } known)
        {
            return _matrix = known;
        }

        if ((long)rows * columns <= _matrix.Data.Length)
        {
            _matrix = new Matrix(rows, columns, _matrix.Data);
        }
        else
        {
            Array.Clear(_few);
            _matrix = new Matrix(rows, columns);
        }

        if (rows < _few.Length)
        {
            _few[rows] = _matrix;
        }

        return _matrix;
    }

    /// <summary>Whether a matrix lies here.</summary>
    public bool Holds(Matrix matrix) => ReferenceEquals(matrix.Data, _matrix.Data);
}
