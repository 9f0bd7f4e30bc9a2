using System.Runtime.InteropServices;
using MASQuant.Diagnostics;
using MASQuant.Torch;
using TorchSharp;

namespace MASQuant.TorchSharp;

/// <summary>Asks for libtorch before anything else does, so that what keeps it from being loaded is told as it is.</summary>
internal static class Libtorch
{
    private static readonly Lazy<bool> Loaded = new(Load);

    /// <summary>Loads libtorch, once in a process.</summary>
    /// <exception cref="MASQuantException">MASQ0517: a library is missing or cannot be loaded.</exception>
    public static void Require() => _ = Loaded.Value;

    private static bool Load()
    {
        try
        {
            NativeLibrary.Load("torch_cpu", typeof(torch).Assembly, null);
            NativeLibrary.Load("LibTorchSharp", typeof(torch).Assembly, null);
        }
        catch (Exception refusal) when (refusal is DllNotFoundException or BadImageFormatException)
        {
            // TorchSharp would go on to copy libraries together, and blame a package.
            if (LibtorchPackage.IsTooNew(refusal))
            {
                throw Problem($"for {LibtorchPackage.FileName("LibTorchSharp")} {LibtorchPackage.Refusal(refusal)}", refusal);
            }
        }

        try
        {
            torch.InitializeDeviceType(DeviceType.CPU); // which looks in further places
            return true;
        }
        catch (Exception refusal) when (refusal is NotSupportedException or TypeInitializationException or DllNotFoundException)
        {
            throw Problem($"it is not there. Add <PackageReference Include=\"{LibtorchPackage.Cpu}\" Version=\"{LibtorchPackage.Version}\" /> to the project, or TorchSharp's package for a GPU.", refusal);
        }
    }

    private static MASQuantException Problem(string reason, Exception refusal)
        => new(DiagnosticCodes.ComputeLibraryNotLoadable, null, $"MASQuant.TorchSharp needs libtorch, but {reason}", refusal);
}
