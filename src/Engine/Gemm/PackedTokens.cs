using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Gemm;

/// <summary>The codes of <see cref="PreparedTokens"/> in kernel order, [block][K/4][block rows][4] or, as tiles, [block][K/64][16][64] with zeros where there is no token or input, and each token's sum. Made once for all layers of an input group.</summary>
internal sealed unsafe class PackedTokens : IWork
{
    private const int PieceValues = 1 << 16;
    private const int TileTokens = 16;
    private const int TileInputs = 64;

    private AlignedBuffer<byte> _codes = new(0);
    private AlignedBuffer<int> _sums = new(0);
    private PreparedTokens _tokens = null!;
    private bool _filled;

    /// <summary>Which numbers <see cref="Codes"/> holds.</summary>
    public CodeForm Form { get; private set; }

    /// <summary>The tokens of each block.</summary>
    public RowBlocks Blocks { get; private set; }

    /// <summary>The codes of block 0; block b begins at (its first token) · K values, as tiles at b times <see cref="TileBlockBytes"/>.</summary>
    public byte* Codes => _codes.Pointer;

    /// <summary>Σ_k code, per token.</summary>
    public int* Sums => _sums.Pointer;

    /// <summary>Bytes of a block as tiles.</summary>
    public static long TileBlockBytes(int inputs) => (long)TileTokens * ((inputs + TileInputs - 1) / TileInputs * TileInputs);

    /// <summary>Forgets the content.</summary>
    public void Clear() => _filled = false;

    /// <summary>Packs <paramref name="tokens"/> unless that has been done in this form.</summary>
    public void Fill(PreparedTokens tokens, CodeForm form, int height)
    {
        var blocks = new RowBlocks(tokens.Tokens, height);
        if (_filled && Form == form && Blocks.Count == blocks.Count)
        {
            return;
        }

        (Form, Blocks, _tokens) = (form, blocks, tokens);
        var bytes = form == CodeForm.Tiles ? blocks.Count * TileBlockBytes(tokens.Inputs) : (long)tokens.Tokens * tokens.Inputs * (form == CodeForm.Bytes ? 1 : 2);
        if (_codes.Length < bytes)
        {
            _codes = new AlignedBuffer<byte>(bytes);
        }

        if (_sums.Length < tokens.Tokens)
        {
            _sums = new AlignedBuffer<int>(tokens.Tokens);
        }

        if ((long)tokens.Tokens * tokens.Inputs >= PieceValues)
        {
            Workers.For(blocks.Count, this);
        }
        else
        {
            for (var block = 0; block < blocks.Count; block++)
            {
                Run(block);
            }
        }

        _filled = true;
    }

    /// <inheritdoc/>
    public void Run(int piece)
    {
        int start = Blocks.Start(piece), rows = Blocks.Start(piece + 1) - start, inputs = _tokens.Inputs;
        fixed (sbyte* codes = _tokens.Codes.AsSpan(start * inputs, rows * inputs))
        {
            for (var i = 0; i < rows; i++)
            {
                Sums[start + i] = Sum(codes + ((nint)i * inputs), inputs);
            }

            if (Form == CodeForm.Tiles)
            {
                Tile(codes, rows, inputs, Codes + (piece * TileBlockBytes(inputs)));
            }
            else if (Form == CodeForm.Bytes)
            {
                // Four codes move together, like one FP32 value.
                var target = (float*)(Codes + ((nint)start * inputs));
                FloatPacking.Pack((float*)codes, inputs / PackingLayout.RunInputs, 1, rows, inputs / PackingLayout.RunInputs, target, rows);
            }
            else
            {
                Widen(codes, rows, inputs, (ulong*)((short*)Codes + ((nint)start * inputs)));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Sum(sbyte* codes, int count)
    {
        var sums = Vector256<int>.Zero;
        var k = 0;
        for (; k <= count - 16; k += 16)
        {
            var (low, high) = Vector256.Widen(Vector256.WidenLower(Vector128.Load(codes + k).ToVector256Unsafe()));
            sums += low + high;
        }

        var sum = Vector256.Sum(sums);
        for (; k < count; k++)
        {
            sum += codes[k];
        }

        return sum;
    }

    private static void Tile(sbyte* codes, int rows, int inputs, byte* target)
    {
        for (var start = 0; start < inputs; start += TileInputs)
        {
            var length = Math.Min(TileInputs, inputs - start);
            for (var i = 0; i < TileTokens; i++)
            {
                var row = new Span<byte>(target, TileInputs);
                if (i < rows)
                {
                    new ReadOnlySpan<byte>(codes + ((nint)i * inputs) + start, length).CopyTo(row);
                }

                row[(i < rows ? length : 0)..].Clear();
                target += TileInputs;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen(sbyte* codes, int rows, int inputs, ulong* target)
    {
        for (var i = 0; i < rows; i++)
        {
            var column = target + i;
            for (var k = 0; k < inputs; k += PackingLayout.RunInputs)
            {
                var run = Vector128.CreateScalarUnsafe(*(int*)(codes + k)).AsSByte();
                *column = Vector128.WidenLower(run).AsUInt64().ToScalar();
                column += rows;
            }

            codes += inputs;
        }
    }
}
