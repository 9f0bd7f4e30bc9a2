using System.Runtime.InteropServices;
using MASQuant.Engine.Gemm.Cpu;

namespace MASQuant.Engine.Tests.Gemm.Code;

/// <summary>The shipped kernels, AMX's in an emulator: what a processor with AMX runs, on one without.</summary>
internal static unsafe class EmulatedTiles
{
    private static readonly byte[] Amx = MachineCode.Read("amx", windows: false);
    private static long _products;
    private static volatile string? _problem;

    /// <summary>Whether the kernels beside AMX's run here.</summary>
    public static bool IsComplete => MachineCode.OfProcess is not null && CpuTarget.Levels.Contains(CpuLevel.Vnni512);

    /// <summary>The kernels.</summary>
    public static MachineCode Kernels { get; } = MachineCode.At(MachineCode.OfProcess is { } code ? (nint)code.Vnni512 : 0, (nint)(delegate* unmanaged<void*, void>)&Run);

    /// <summary>How many products of tiles there have been in the process.</summary>
    public static long Products => Interlocked.Read(ref _products);

    /// <summary>What the emulator has first refused in the process; null: nothing.</summary>
    public static string? Problem => _problem;

    [UnmanagedCallersOnly]
    private static void Run(void* call)
    {
        try
        {
            var processor = new TileProcessor(Amx);
            processor.Run(call);
            Interlocked.Add(ref _products, processor.Products);
        }
        catch (InvalidOperationException problem)
        {
            _problem ??= problem.Message; // No exception crosses native frames.
        }
    }
}
