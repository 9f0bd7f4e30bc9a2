namespace MASQuant.Cuda.Device;

/// <summary>One entry of a module and the fixed part of its launches.</summary>
/// <param name="Module">Where it is defined.</param>
/// <param name="Entry">Its name there.</param>
/// <param name="Threads">Threads of a block, all along x.</param>
/// <param name="MaxSharedBytes">The most dynamic shared memory that a launch asks for; above 48 KiB the driver must be told.</param>
public sealed record Kernel(KernelModule Module, string Entry, int Threads, int MaxSharedBytes = 0);
