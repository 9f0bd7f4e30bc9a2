namespace MASQuant.Cuda.Device;

/// <summary>One launch of a kernel.</summary>
/// <param name="Kernel">What runs.</param>
/// <param name="Grid">Blocks.</param>
/// <param name="SharedBytes">Dynamic shared memory of a block, at most the kernel's <see cref="Kernel.MaxSharedBytes"/>.</param>
/// <param name="Arguments">The parameters.</param>
public readonly record struct KernelLaunch(Kernel Kernel, GridSize Grid, int SharedBytes, KernelArguments Arguments);
