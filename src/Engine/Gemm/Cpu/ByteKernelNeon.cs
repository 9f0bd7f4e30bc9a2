using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>The ARM64 kernels for <see cref="CodeForm.Bytes"/>: 16 outputs × up to 6 tokens with <c>sdot</c>, which takes signed weights: 24 sums, four weights and a token of the 32 registers.</summary>
internal static unsafe class ByteKernelNeon
{
    /// <summary>The most tokens of a call.</summary>
    public const int MaxRows = 6;

    /// <summary>sums[rows, 16] = Σ over <paramref name="steps"/> runs of 4 inputs of tokens [steps, rows, 4] and unpacked weights [steps, 16, 4].</summary>
    /// <param name="rows">Up to <see cref="MaxRows"/>.</param>
    /// <param name="tokens">Signed codes.</param>
    /// <param name="weights">Bytes that <paramref name="sign"/> makes signed.</param>
    /// <param name="sign">0x80 for weights that were offset by 128, which are taken back to signed ones; 0 for those that are none above 127.</param>
    /// <param name="sums">Overwritten.</param>
    /// <param name="steps">K/4.</param>
    public static void Run(int rows, int* tokens, byte* weights, byte sign, int* sums, nint steps)
    {
        switch (rows)
        {
            case 1:
                Tile<Rows1>(tokens, weights, sign, sums, steps);
                break;
            case 2:
                Tile<Rows2>(tokens, weights, sign, sums, steps);
                break;
            case 3:
                Tile<Rows3>(tokens, weights, sign, sums, steps);
                break;
            case 4:
                Tile<Rows4>(tokens, weights, sign, sums, steps);
                break;
            case 5:
                Tile<Rows5>(tokens, weights, sign, sums, steps);
                break;
            default:
                Tile<Rows6>(tokens, weights, sign, sums, steps);
                break;
        }
    }

    /// <summary>The same for 4-bit weights as they are stored, two steps in 64 bytes.</summary>
    public static void RunPacked(int rows, int* tokens, byte* weights, int* sums, nint steps)
    {
        switch (rows)
        {
            case 1:
                PackedTile<Rows1>(tokens, weights, sums, steps);
                break;
            case 2:
                PackedTile<Rows2>(tokens, weights, sums, steps);
                break;
            case 3:
                PackedTile<Rows3>(tokens, weights, sums, steps);
                break;
            case 4:
                PackedTile<Rows4>(tokens, weights, sums, steps);
                break;
            case 5:
                PackedTile<Rows5>(tokens, weights, sums, steps);
                break;
            default:
                PackedTile<Rows6>(tokens, weights, sums, steps);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile<TRows>(int* tokens, byte* weights, byte sign, int* sums, nint steps)
        where TRows : IRowCount
    {
        var rows = TRows.Value;
        var flip = Vector128.Create(sign);
        Vector128<int> a0 = default, b0 = default, c0 = default, d0 = default;
        Vector128<int> a1 = default, b1 = default, c1 = default, d1 = default;
        Vector128<int> a2 = default, b2 = default, c2 = default, d2 = default;
        Vector128<int> a3 = default, b3 = default, c3 = default, d3 = default;
        Vector128<int> a4 = default, b4 = default, c4 = default, d4 = default;
        Vector128<int> a5 = default, b5 = default, c5 = default, d5 = default;
        do
        {
            var w0 = (Vector128.Load(weights) ^ flip).AsSByte();
            var w1 = (Vector128.Load(weights + 16) ^ flip).AsSByte();
            var w2 = (Vector128.Load(weights + 32) ^ flip).AsSByte();
            var w3 = (Vector128.Load(weights + 48) ^ flip).AsSByte();
            Vector128<sbyte> token;
            token = Vector128.Create(tokens[0]).AsSByte();
            a0 = Dp.DotProduct(a0, w0, token);
            b0 = Dp.DotProduct(b0, w1, token);
            c0 = Dp.DotProduct(c0, w2, token);
            d0 = Dp.DotProduct(d0, w3, token);
            if (rows > 1) { token = Vector128.Create(tokens[1]).AsSByte(); a1 = Dp.DotProduct(a1, w0, token); b1 = Dp.DotProduct(b1, w1, token); c1 = Dp.DotProduct(c1, w2, token); d1 = Dp.DotProduct(d1, w3, token); }
            if (rows > 2) { token = Vector128.Create(tokens[2]).AsSByte(); a2 = Dp.DotProduct(a2, w0, token); b2 = Dp.DotProduct(b2, w1, token); c2 = Dp.DotProduct(c2, w2, token); d2 = Dp.DotProduct(d2, w3, token); }
            if (rows > 3) { token = Vector128.Create(tokens[3]).AsSByte(); a3 = Dp.DotProduct(a3, w0, token); b3 = Dp.DotProduct(b3, w1, token); c3 = Dp.DotProduct(c3, w2, token); d3 = Dp.DotProduct(d3, w3, token); }
            if (rows > 4) { token = Vector128.Create(tokens[4]).AsSByte(); a4 = Dp.DotProduct(a4, w0, token); b4 = Dp.DotProduct(b4, w1, token); c4 = Dp.DotProduct(c4, w2, token); d4 = Dp.DotProduct(d4, w3, token); }
            if (rows > 5) { token = Vector128.Create(tokens[5]).AsSByte(); a5 = Dp.DotProduct(a5, w0, token); b5 = Dp.DotProduct(b5, w1, token); c5 = Dp.DotProduct(c5, w2, token); d5 = Dp.DotProduct(d5, w3, token); }
            weights += 64;
            tokens += rows;
        }
        while (--steps != 0);

        Store(a0, b0, c0, d0, sums);
        if (rows > 1) Store(a1, b1, c1, d1, sums + 16);
        if (rows > 2) Store(a2, b2, c2, d2, sums + 32);
        if (rows > 3) Store(a3, b3, c3, d3, sums + 48);
        if (rows > 4) Store(a4, b4, c4, d4, sums + 64);
        if (rows > 5) Store(a5, b5, c5, d5, sums + 80);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void PackedTile<TRows>(int* tokens, byte* weights, int* sums, nint steps)
        where TRows : IRowCount
    {
        var rows = TRows.Value;
        var mask = Vector128.Create((byte)0xF);
        Vector128<int> a0 = default, b0 = default, c0 = default, d0 = default;
        Vector128<int> a1 = default, b1 = default, c1 = default, d1 = default;
        Vector128<int> a2 = default, b2 = default, c2 = default, d2 = default;
        Vector128<int> a3 = default, b3 = default, c3 = default, d3 = default;
        Vector128<int> a4 = default, b4 = default, c4 = default, d4 = default;
        Vector128<int> a5 = default, b5 = default, c5 = default, d5 = default;
        for (; steps > 0; steps -= 2)
        {
            Vector128<byte> codes0 = Vector128.Load(weights), codes1 = Vector128.Load(weights + 16), codes2 = Vector128.Load(weights + 32), codes3 = Vector128.Load(weights + 48);
            Vector128<sbyte> w0 = (codes0 & mask).AsSByte(), w1 = (codes1 & mask).AsSByte(), w2 = (codes2 & mask).AsSByte(), w3 = (codes3 & mask).AsSByte();
            Vector128<sbyte> token;
            token = Vector128.Create(tokens[0]).AsSByte();
            a0 = Dp.DotProduct(a0, w0, token);
            b0 = Dp.DotProduct(b0, w1, token);
            c0 = Dp.DotProduct(c0, w2, token);
            d0 = Dp.DotProduct(d0, w3, token);
            if (rows > 1) { token = Vector128.Create(tokens[1]).AsSByte(); a1 = Dp.DotProduct(a1, w0, token); b1 = Dp.DotProduct(b1, w1, token); c1 = Dp.DotProduct(c1, w2, token); d1 = Dp.DotProduct(d1, w3, token); }
            if (rows > 2) { token = Vector128.Create(tokens[2]).AsSByte(); a2 = Dp.DotProduct(a2, w0, token); b2 = Dp.DotProduct(b2, w1, token); c2 = Dp.DotProduct(c2, w2, token); d2 = Dp.DotProduct(d2, w3, token); }
            if (rows > 3) { token = Vector128.Create(tokens[3]).AsSByte(); a3 = Dp.DotProduct(a3, w0, token); b3 = Dp.DotProduct(b3, w1, token); c3 = Dp.DotProduct(c3, w2, token); d3 = Dp.DotProduct(d3, w3, token); }
            if (rows > 4) { token = Vector128.Create(tokens[4]).AsSByte(); a4 = Dp.DotProduct(a4, w0, token); b4 = Dp.DotProduct(b4, w1, token); c4 = Dp.DotProduct(c4, w2, token); d4 = Dp.DotProduct(d4, w3, token); }
            if (rows > 5) { token = Vector128.Create(tokens[5]).AsSByte(); a5 = Dp.DotProduct(a5, w0, token); b5 = Dp.DotProduct(b5, w1, token); c5 = Dp.DotProduct(c5, w2, token); d5 = Dp.DotProduct(d5, w3, token); }
            tokens += rows;
            (w0, w1) = (Vector128.ShiftRightLogical(codes0, 4).AsSByte(), Vector128.ShiftRightLogical(codes1, 4).AsSByte());
            (w2, w3) = (Vector128.ShiftRightLogical(codes2, 4).AsSByte(), Vector128.ShiftRightLogical(codes3, 4).AsSByte());
            token = Vector128.Create(tokens[0]).AsSByte();
            a0 = Dp.DotProduct(a0, w0, token);
            b0 = Dp.DotProduct(b0, w1, token);
            c0 = Dp.DotProduct(c0, w2, token);
            d0 = Dp.DotProduct(d0, w3, token);
            if (rows > 1) { token = Vector128.Create(tokens[1]).AsSByte(); a1 = Dp.DotProduct(a1, w0, token); b1 = Dp.DotProduct(b1, w1, token); c1 = Dp.DotProduct(c1, w2, token); d1 = Dp.DotProduct(d1, w3, token); }
            if (rows > 2) { token = Vector128.Create(tokens[2]).AsSByte(); a2 = Dp.DotProduct(a2, w0, token); b2 = Dp.DotProduct(b2, w1, token); c2 = Dp.DotProduct(c2, w2, token); d2 = Dp.DotProduct(d2, w3, token); }
            if (rows > 3) { token = Vector128.Create(tokens[3]).AsSByte(); a3 = Dp.DotProduct(a3, w0, token); b3 = Dp.DotProduct(b3, w1, token); c3 = Dp.DotProduct(c3, w2, token); d3 = Dp.DotProduct(d3, w3, token); }
            if (rows > 4) { token = Vector128.Create(tokens[4]).AsSByte(); a4 = Dp.DotProduct(a4, w0, token); b4 = Dp.DotProduct(b4, w1, token); c4 = Dp.DotProduct(c4, w2, token); d4 = Dp.DotProduct(d4, w3, token); }
            if (rows > 5) { token = Vector128.Create(tokens[5]).AsSByte(); a5 = Dp.DotProduct(a5, w0, token); b5 = Dp.DotProduct(b5, w1, token); c5 = Dp.DotProduct(c5, w2, token); d5 = Dp.DotProduct(d5, w3, token); }
            tokens += rows;
            weights += 64;
        }

        Store(a0, b0, c0, d0, sums);
        if (rows > 1) Store(a1, b1, c1, d1, sums + 16);
        if (rows > 2) Store(a2, b2, c2, d2, sums + 32);
        if (rows > 3) Store(a3, b3, c3, d3, sums + 48);
        if (rows > 4) Store(a4, b4, c4, d4, sums + 64);
        if (rows > 5) Store(a5, b5, c5, d5, sums + 80);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector128<int> a, Vector128<int> b, Vector128<int> c, Vector128<int> d, int* sums)
    {
        a.Store(sums);
        b.Store(sums + 4);
        c.Store(sums + 8);
        d.Store(sums + 12);
    }
}
