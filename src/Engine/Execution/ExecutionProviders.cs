using System.Diagnostics.CodeAnalysis;
using MASQuant.Diagnostics;

namespace MASQuant.Engine.Execution;

/// <summary>The kinds of devices, and the package that brings each. A new device is one line here.</summary>
public static class ExecutionProviders
{
    /// <summary>The names of devices beside the processor, in the order in which <c>auto</c> tries them.</summary>
    public static IReadOnlyList<string> Devices { get; } = ["cuda"];

    /// <summary>The provider of a kind of device.</summary>
    /// <exception cref="MASQuantException">MASQ1009: the application lacks the device's package.</exception>
    public static IExecutionProvider Find(string device) => device switch
    {
        // Constant names, so that trimming and NativeAOT see them.
        "cuda" => Create(Type.GetType("MASQuant.Cuda.CudaProvider, MASQuant.Cuda"), device, "MASQuant.Cuda"),
        _ => throw new ArgumentOutOfRangeException(nameof(device)),
    };

    private static IExecutionProvider Create([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] Type? provider, string device, string package)
        => provider is not null ? (IExecutionProvider)Activator.CreateInstance(provider)! : throw new MASQuantException(DiagnosticCodes.DevicePackageMissing, null,
            $"The device '{device}' needs the package {package}, which this application does not have. Add it: dotnet add package {package}. Or run on the processor: --device {DeviceChoice.Processor}.");
}
