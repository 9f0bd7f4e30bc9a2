namespace MASQuant.Engine.Gemm;

/// <summary>The input of a group of layers, [M, K], whose rows are computed when they are asked for: a row is still in the cache when it is smoothed and quantized, and never written elsewhere. Threads ask for different rows.</summary>
public interface IInputRows
{
    /// <summary>M.</summary>
    int Rows { get; }

    /// <summary>K.</summary>
    int Columns { get; }

    /// <summary>Computes a row.</summary>
    /// <param name="row">Its number.</param>
    /// <param name="target">K values, overwritten.</param>
    void Write(int row, Span<float> target);
}
