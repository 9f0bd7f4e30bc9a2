namespace MASQuant.Engine.Gemm;

/// <summary>The smoothed and quantized input of an input group. Buffers grow and are reused from call to call.</summary>
public sealed class PreparedTokens
{
    private Matrix _spare = new(0, 0);

    /// <summary>M, the number of tokens.</summary>
    public int Tokens { get; private set; }

    /// <summary>K, the number of input features.</summary>
    public int Inputs { get; private set; }

    /// <summary>The modality of each token.</summary>
    public ModalityMap Modalities { get; private set; } = ModalityMap.Text(0);

    /// <summary>Z = X / s · H, [M, K]: what the low-rank patches and W4A16 read.</summary>
    public Matrix Smoothed { get; private set; } = new(0, 0);

    /// <summary>The codes of <see cref="Smoothed"/>, [M, K] row-major; unused by W4A16.</summary>
    public sbyte[] Codes { get; private set; } = [];

    /// <summary>One scale per token: code × scale ≈ smoothed value.</summary>
    public float[] Scales { get; private set; } = [];

    /// <summary><see cref="Codes"/> in the order of the CPU kernels, made when first needed.</summary>
    internal PackedTokens Packed { get; } = new();

    /// <summary>A matrix of its own for whoever uses it, whose memory is reused from call to call; not cleared.</summary>
    internal Matrix Spare(int rows, int columns)
    {
        _spare = _spare.Data.Length < checked(rows * columns) ? new Matrix(rows, columns) : new Matrix(rows, columns, _spare.Data);
        return _spare;
    }

    /// <summary>Makes room for M × K values and records the modalities.</summary>
    public void Reset(int tokens, int inputs, ModalityMap modalities)
    {
        var size = checked(tokens * inputs);
        if (Smoothed.Data.Length < size)
        {
            (Smoothed, Codes) = (new Matrix(tokens, inputs), new sbyte[size]); // both, or none where memory ends
        }
        else if (Smoothed.Rows != tokens || Smoothed.Columns != inputs)
        {
            Smoothed = new Matrix(tokens, inputs, Smoothed.Data);
        }

        if (Scales.Length < tokens)
        {
            Scales = new float[tokens];
        }

        (Tokens, Inputs, Modalities) = (tokens, inputs, modalities);
        Packed.Clear();
    }
}
