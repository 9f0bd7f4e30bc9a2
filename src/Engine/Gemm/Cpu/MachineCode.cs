namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>Kernels for instructions that the runtime has no types for: machine code that is committed beside its sources (Kernels/*.c), embedded, and mapped once for the process.</summary>
/// <remarks>A kernel takes the address of what its wrapper declares as <c>Call</c>, calls nothing and returns nothing.</remarks>
internal sealed unsafe class MachineCode
{
    // A cache line, so that every kernel begins as its compiler assumed.
    private const int Alignment = 64;

    private readonly delegate* unmanaged<void*, void> _xcr0;

    private MachineCode(nint vnni512, nint xcr0, nint amx)
    {
        Vnni512 = (delegate* unmanaged<void*, void>)vnni512;
        _xcr0 = (delegate* unmanaged<void*, void>)xcr0;
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

    /// <summary>Whether the system saves the registers of AVX-512 for its threads. Only for a processor that can tell.</summary>
    public bool SavesVectors512
    {
        get
        {
            const long Vectors = 0xE6; // SSE, AVX, masks, upper halves, upper registers
            long state;
            _xcr0(&state);
            return (state & Vectors) == Vectors;
        }
    }

    /// <summary>Kernels at addresses of the caller's; for tests.</summary>
    internal static MachineCode At(nint vnni512, nint amx) => new(vnni512, 0, amx);

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

        var windows = OperatingSystem.IsWindows();
        var code = new List<byte>();
        int vnni512 = Append("vnni512"), xcr0 = Append("xcr0"), amx = windows ? -1 : Append("amx");
        var address = CodeMemory.Map(code.ToArray(), out var refusal);
        return address == 0 ? (null, refusal) : (new MachineCode(address + vnni512, address + xcr0, amx < 0 ? 0 : address + amx), "");

        int Append(string name)
        {
            var start = (code.Count + Alignment - 1) / Alignment * Alignment;
            code.AddRange(new byte[start - code.Count]);
            code.AddRange(Read(name, windows));
            return start;
        }
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
