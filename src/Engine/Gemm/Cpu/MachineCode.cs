namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>Kernels for instructions that the runtime has no types for: machine code that is committed beside its sources (Kernels/*.c), embedded, and mapped once for the process.</summary>
/// <remarks>A kernel takes the address of what its wrapper declares as <c>Call</c>, calls nothing and returns nothing.</remarks>
internal sealed unsafe class MachineCode
{
    // A cache line, so that every kernel begins as its compiler assumed.
    private const int Alignment = 64;

    private MachineCode(nint vnni512, nint amx)
    {
        Vnni512 = (delegate* unmanaged<void*, void>)vnni512;
        Amx = (delegate* unmanaged<void*, void>)amx;
    }

    /// <summary>The process's mapping; null where code cannot be mapped.</summary>
    public static MachineCode? OfProcess => Process.Code;

    /// <summary>What the system said when it refused the mapping; empty where it did not.</summary>
    public static string Refusal => Process.Refusal;

    /// <summary>The kernel of <see cref="ByteKernelVnni512"/>.</summary>
    public delegate* unmanaged<void*, void> Vnni512 { get; }

    /// <summary>The kernel of <see cref="TileKernelAmx"/>; null where the system has no way to ask for the tiles.</summary>
    public delegate* unmanaged<void*, void> Amx { get; }

    /// <summary>Kernels at addresses of the caller's; for tests.</summary>
    internal static MachineCode At(nint vnni512, nint amx) => new(vnni512, amx);

    /// <summary>The bytes of a kernel.</summary>
    /// <param name="name">Of its source, without the ending.</param>
    /// <param name="windows">For Windows' calls, otherwise for those of System V.</param>
    internal static byte[] Read(string name, bool windows)
    {
        var resource = $"{name}.{(windows ? "win" : "sysv")}.bin";
        using var stream = typeof(MachineCode).Assembly.GetManifestResourceStream(resource) ?? throw new InvalidOperationException($"No resource is named {resource}.");
        var code = new byte[stream.Length];
        stream.ReadExactly(code);
        return code;
    }

    private static (MachineCode? Code, string Refusal) Map()
    {
        if (!CodeMemory.IsKnown)
        {
            return (null, "");
        }

        byte[] vnni512 = Read("vnni512", OperatingSystem.IsWindows()), amx = OperatingSystem.IsLinux() ? Read("amx", windows: false) : [];
        var second = (vnni512.Length + Alignment - 1) / Alignment * Alignment;
        var code = new byte[second + amx.Length];
        vnni512.CopyTo(code, 0);
        amx.CopyTo(code, second);
        var address = CodeMemory.Map(code, out var refusal);
        return address == 0 ? (null, refusal) : (new MachineCode(address, amx.Length == 0 ? 0 : address + second), "");
    }

    /// <summary>Mapped when first asked for.</summary>
    private static class Process
    {
        static Process()
        {
            (Code, Refusal) = Map();
        }

        public static MachineCode? Code { get; }

        public static string Refusal { get; }
    }
}
