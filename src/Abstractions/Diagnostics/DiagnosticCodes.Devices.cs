namespace MASQuant.Diagnostics;

public static partial class DiagnosticCodes
{
    /// <summary>A GPU is asked for on a machine without the NVIDIA driver.</summary>
    public const string DriverMissing = "MASQ1001";

    /// <summary>The NVIDIA driver does not find the GPU that is asked for.</summary>
    public const string DeviceMissing = "MASQ1002";

    /// <summary>The NVIDIA driver is older than the kernels need.</summary>
    public const string DriverTooOld = "MASQ1003";

    /// <summary>The GPU has too little free memory.</summary>
    public const string DeviceMemoryExhausted = "MASQ1004";

    /// <summary>A word that names no device.</summary>
    public const string DeviceNameInvalid = "MASQ1005";

    /// <summary>A call of the NVIDIA driver failed.</summary>
    public const string DriverCallFailed = "MASQ1006";

    /// <summary>The NVIDIA driver does not compile a kernel.</summary>
    public const string KernelRejected = "MASQ1007";

    /// <summary>The application lacks the package of the device that is asked for.</summary>
    public const string DevicePackageMissing = "MASQ1009";

    /// <summary>The GPU is older than the kernels need.</summary>
    public const string DeviceTooOld = "MASQ1008";

    /// <summary>A decoder's hidden states are asked for where it runs on a device.</summary>
    public const string HiddenStatesOnDevice = "MASQ1010";

    /// <summary>A word that names no instruction set of this processor.</summary>
    public const string ProcessorLevelInvalid = "MASQ1011";

    /// <summary>A warning: the system refuses executable memory, so that the processor's best kernels are not used.</summary>
    public const string KernelsNotMapped = "MASQ1012";
}
