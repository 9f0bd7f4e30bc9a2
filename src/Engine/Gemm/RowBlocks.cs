namespace MASQuant.Engine.Gemm;

/// <summary>Rows cut into as few blocks as a kernel's height allows, as equal as can be.</summary>
internal readonly struct RowBlocks
{
    /// <summary>Cuts <paramref name="rows"/> rows into blocks of at most <paramref name="height"/>.</summary>
    public RowBlocks(int rows, int height)
    {
        Rows = rows;
        Count = (rows + height - 1) / height;
    }

    /// <summary>The number of rows.</summary>
    public int Rows { get; }

    /// <summary>The number of blocks.</summary>
    public int Count { get; }

    /// <summary>The first row of a block; <see cref="Rows"/> for block <see cref="Count"/>.</summary>
    public int Start(int block) => (int)((long)Rows * block / Count);
}
