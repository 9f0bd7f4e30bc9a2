using System.Runtime.InteropServices;
using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Gemm;

/// <summary>The patches of one layer, as the kernels read them. Ranks are padded to multiples of 16, the padding zero; 0: no patch.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct PatchRecord
{
    /// <summary>The layer's first output in the launch, divided by 16.</summary>
    public int FirstPanel;

    /// <summary>Where the layer's projections start in a row of T.</summary>
    public int Column;

    /// <summary>Always 0: text has no patch.</summary>
    public int TextRank;

    /// <summary>Of the vision patch.</summary>
    public int VisionRank;

    /// <summary>Of the audio patch.</summary>
    public int AudioRank;

    /// <summary>Unused.</summary>
    public int NoRank;

    /// <summary>Unused.</summary>
    public DevicePointer TextL2;

    /// <summary>L2 in the order of <see cref="FragmentOrder.PackL2"/>.</summary>
    public DevicePointer VisionL2;

    /// <inheritdoc cref="VisionL2"/>
    public DevicePointer AudioL2;

    /// <summary>Unused.</summary>
    public DevicePointer NoL2;
}
