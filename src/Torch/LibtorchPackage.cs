using System.Runtime.InteropServices;

namespace MASQuant.Torch;

/// <summary>What libtorch is restored from, and what to say where a system does not load it.</summary>
internal static class LibtorchPackage
{
    /// <summary>The version that TorchSharp is built for.</summary>
    public const string Version = "2.10.0";

    /// <summary>This machine, as packages of native code name it.</summary>
    public static string Rid
        => $"{(OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux")}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";

    /// <summary>The package for this machine's processor.</summary>
    public static string Cpu => $"libtorch-cpu-{Rid}";

    /// <summary>A library's file.</summary>
    public static string FileName(string name)
        => OperatingSystem.IsWindows() ? name + ".dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";

    /// <summary>Whether a library is there, for a newer C++ library than the system has. Linux' loader says which version of which library it misses; so does nothing else.</summary>
    public static bool IsTooNew(Exception refusal) => refusal.Message.Contains("GLIBC", StringComparison.Ordinal);

    /// <summary>Why the system does not load a file, and what helps.</summary>
    public static string Refusal(Exception refusal)
        => $"the system cannot load it: {refusal.Message.Trim()}{(IsTooNew(refusal) ? " It is built for a newer C++ library than this system has: use one with GCC 13's libstdc++ or later, such as Debian 13 or Ubuntu 24.04." : "")}";
}
