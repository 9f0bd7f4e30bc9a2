using MASQuant.Engine.Gemm;

namespace MASQuant.Engine.Layers;

/// <summary>Rows of a stream, normed. For one pass at a time.</summary>
internal sealed class NormedRows : IInputRows
{
    private Norm _norm = null!;
    private Matrix _stream = new(0, 0);

    /// <inheritdoc/>
    public int Rows => _stream.Rows;

    /// <inheritdoc/>
    public int Columns => _stream.Columns;

    /// <summary>Says of which stream, and by what.</summary>
    public NormedRows Of(Norm norm, Matrix stream)
    {
        (_norm, _stream) = (norm, stream);
        return this;
    }

    /// <inheritdoc/>
    public void Write(int row, Span<float> target) => _norm.Apply(_stream.Row(row), target);
}

/// <summary>Rows SiLU(gate) ⊙ up. For one pass at a time.</summary>
internal sealed class GatedRows : IInputRows
{
    private Matrix _gate = new(0, 0);
    private Matrix _up = new(0, 0);

    /// <inheritdoc/>
    public int Rows => _gate.Rows;

    /// <inheritdoc/>
    public int Columns => _gate.Columns;

    /// <summary>Says of what.</summary>
    public GatedRows Of(Matrix gate, Matrix up)
    {
        (_gate, _up) = (gate, up);
        return this;
    }

    /// <inheritdoc/>
    public void Write(int row, Span<float> target) => Silu.Multiply(_gate.Row(row), _up.Row(row), target);
}
