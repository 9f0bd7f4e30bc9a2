using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>How one product is launched.</summary>
/// <param name="Kernel">Chosen by format and tokens.</param>
/// <param name="Grid">Blocks; Z parts of the inputs.</param>
/// <param name="SharedBytes">Dynamic shared memory.</param>
/// <param name="PartialBytes">Device memory for the parts' sums; 0 when the inputs are not divided.</param>
/// <param name="Counters">32-bit counters, which the launch finds zero and leaves zero; 0 when the inputs are not divided.</param>
public readonly record struct GemmPlan(Kernel Kernel, GridSize Grid, int SharedBytes, long PartialBytes, int Counters);
