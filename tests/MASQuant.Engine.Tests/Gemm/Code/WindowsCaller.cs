using System.Runtime.InteropServices;
using MASQuant.Engine.Gemm.Cpu;

namespace MASQuant.Engine.Tests.Gemm.Code;

/// <summary>Calls code that follows Windows' rules from a process that follows System V's, and tells which of the registers that it has to keep it has changed.</summary>
internal static unsafe class WindowsCaller
{
    // push rbx, rbp, r12 ... r15, rdx; sub rsp, 32; mov rax, rdi; mov rcx, rsi
    // movdqu xmm6 ... xmm15, [rdx ...]; mov rbx, rbp, rdi, rsi, r12 ... r15, [rdx + 160 ...]
    // call rax; mov rdx, [rsp + 32]
    // movdqu [rdx + 224 ...], xmm6 ... xmm15; mov [rdx + 384 ...], rbx, rbp, rdi, rsi, r12 ... r15
    // add rsp, 32; pop rdx, r15 ... r12, rbp, rbx; ret
    private const string Thunk =
        "53554154415541564157524883ec204889f84889f1f30f6f32f30f6f7a10f3440f6f4220f3440f6f4a30f3440f6f5240f3440f6f5a50f3440f6f6260f3440f6f6a70"
        + "f3440f6fb280000000f3440f6fba90000000488b9aa0000000488baaa8000000488bbab0000000488bb2b80000004c8ba2c00000004c8baac80000004c8bb2d0000000"
        + "4c8bbad8000000ffd0488b542420f30f7fb2e0000000f30f7fbaf0000000f3440f7f8200010000f3440f7f8a10010000f3440f7f9220010000f3440f7f9a30010000"
        + "f3440f7fa240010000f3440f7faa50010000f3440f7fb260010000f3440f7fba7001000048899a800100004889aa880100004889ba900100004889b2980100004c89a2a0010000"
        + "4c89aaa80100004c89b2b00100004c89bab80100004883c4205a415f415e415d415c5d5bc3";

    private const int Kept = 224; // bytes: ten registers of 16, eight of 8
    private static readonly nint Caller = CodeMemory.Map(Convert.FromHexString(Thunk), out _);
    private static nint _code;

    /// <summary>Which of the kept registers' bytes have changed since the last reset; -1: none.</summary>
    public static int FirstChange { get; private set; }

    /// <summary>The Windows code of <see cref="ByteKernelVnni512"/>, to be called as the process's own.</summary>
    public static MachineCode Kernels()
    {
        _code = CodeMemory.Map(MachineCode.Read("vnni512", windows: true), out _);
        FirstChange = -1;
        return MachineCode.At((nint)(delegate* unmanaged<void*, void>)&Run, 0);
    }

    [UnmanagedCallersOnly]
    private static void Run(void* call)
    {
        var registers = stackalloc byte[2 * Kept];
        new Random(1).NextBytes(new Span<byte>(registers, Kept));
        ((delegate* unmanaged<nint, void*, byte*, void>)Caller)(_code, call, registers);
        Span<byte> before = new(registers, Kept), after = new(registers + Kept, Kept);
        if (!before.SequenceEqual(after))
        {
            FirstChange = before.CommonPrefixLength(after);
        }
    }
}
