using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>Memory of the process that holds machine code: written first, then readable and executable, never writable and executable at once. It is never given back.</summary>
internal static unsafe partial class CodeMemory
{
    private const int Read = 1;
    private const int Write = 2;
    private const int Execute = 4;
    private const int PrivateAndAnonymous = 0x22;
    private const uint CommitAndReserve = 0x3000;
    private const uint PageReadWrite = 0x04;
    private const uint PageExecuteRead = 0x20;

    /// <summary>Whether there is a way to map code here, and code for this system's calls.</summary>
    public static bool IsKnown { get; } = RuntimeInformation.ProcessArchitecture == Architecture.X64 && (OperatingSystem.IsLinux() || OperatingSystem.IsWindows());

    /// <summary>Maps a copy of <paramref name="code"/>.</summary>
    /// <param name="code">Position-independent machine code.</param>
    /// <param name="refusal">The system's words where it does not allow that; empty otherwise.</param>
    /// <returns>The address of the first byte; 0 when it was refused.</returns>
    public static nint Map(ReadOnlySpan<byte> code, out string refusal)
    {
        refusal = "";
        var address = OperatingSystem.IsWindows() ? MapWindows(code) : OperatingSystem.IsLinux() ? MapLinux(code) : 0;
        if (address == 0)
        {
            refusal = Marshal.GetLastPInvokeErrorMessage();
        }

        return address;
    }

    [SupportedOSPlatform("linux")]
    private static nint MapLinux(ReadOnlySpan<byte> code)
    {
        var length = (nuint)code.Length;
        var address = MMap(0, length, Read | Write, PrivateAndAnonymous, -1, 0);
        if (address == -1)
        {
            return 0;
        }

        code.CopyTo(new Span<byte>((void*)address, code.Length));
        if (MProtect(address, length, Read | Execute) == 0)
        {
            return address;
        }

        var error = Marshal.GetLastPInvokeError();
        _ = MUnmap(address, length);
        Marshal.SetLastPInvokeError(error);
        return 0;
    }

    [SupportedOSPlatform("windows")]
    private static nint MapWindows(ReadOnlySpan<byte> code)
    {
        var address = VirtualAlloc(0, (nuint)code.Length, CommitAndReserve, PageReadWrite);
        if (address == 0)
        {
            return 0;
        }

        code.CopyTo(new Span<byte>((void*)address, code.Length));
        return VirtualProtect(address, (nuint)code.Length, PageExecuteRead, out _) != 0 ? address : 0;
    }

    [SupportedOSPlatform("linux")]
    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MMap(nint address, nuint length, int access, int flags, int file, nint offset);

    [SupportedOSPlatform("linux")]
    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int MProtect(nint address, nuint length, int access);

    [SupportedOSPlatform("linux")]
    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int MUnmap(nint address, nuint length);

    [SupportedOSPlatform("windows")]
    [LibraryImport("kernel32", SetLastError = true)]
    private static partial nint VirtualAlloc(nint address, nuint length, uint kind, uint access);

    [SupportedOSPlatform("windows")]
    [LibraryImport("kernel32", SetLastError = true)]
    private static partial int VirtualProtect(nint address, nuint length, uint access, out uint before);
}
