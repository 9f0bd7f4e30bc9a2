using MASQuant.Engine.Gemm.Cpu;

namespace MASQuant.Bench;

/// <summary>Nothing but <c>vpdpbusd</c> on registers of 512 bits, as machine code, since the runtime has no such instruction.</summary>
internal static unsafe class DotProductRoof
{
    private const int Sums = 14;
    private const int Rounds = 4_000_000;

    private static readonly nint Code = Map();

    /// <summary>Multiplications and additions of one <see cref="Run"/>.</summary>
    public static double Operations => 2.0 * 64 * Sums * Rounds;

    /// <summary>Runs independent dot products.</summary>
    public static void Run() => ((delegate* unmanaged<void>)Code)();

    private static nint Map()
    {
        List<byte> code = [0xB8, .. BitConverter.GetBytes(Rounds)]; // mov eax, Rounds
        var loop = code.Count;
        for (var sum = 0; sum < Sums; sum++)
        {
            // vpdpbusd zmm{16 + sum}, zmm30, zmm31: registers that no caller keeps.
            code.AddRange([0x62, (byte)(sum < 8 ? 0x82 : 0x02), 0x0D, 0x40, 0x50, (byte)(0xC7 | (sum % 8 << 3))]);
        }

        code.AddRange([0xFF, 0xC8]); // dec eax
        code.AddRange([0x75, (byte)(loop - code.Count - 2)]); // jnz loop
        code.AddRange([0xC5, 0xF8, 0x77, 0xC3]); // vzeroupper, ret
        var address = CodeMemory.Map(code.ToArray(), out var refusal);
        return address != 0 ? address : throw new InvalidOperationException(refusal);
    }
}
