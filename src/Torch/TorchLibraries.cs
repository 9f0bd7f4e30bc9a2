using System.Runtime.InteropServices;
using System.Runtime.Loader;
using MASQuant.Diagnostics;
using MASQuant.Quantization.Options;
using TorchSharp;

namespace MASQuant.Torch;

/// <summary>Finds libtorch and loads it, before TorchSharp tries: what it cannot load it would copy together first, and blame on a missing package.</summary>
internal static class TorchLibraries
{
    /// <summary>The setting of <see cref="AppContext"/> that names the folder of packages where this assembly does not lie in one.</summary>
    public const string PackagesSetting = "MASQuant.Torch.Packages";

    private const string Version = "2.10.0";
    private const string CudaPackage = "libtorch-cuda-12.8-";

    // Each after those that it needs; those of CUDA lie there in a CUDA package alone.
    private static readonly string[] Parts = ["c10", "torch_cpu", "c10_cuda", "torch_cuda", "torch", "LibTorchSharp"];
    private static readonly Lock Gate = new();
    private static ComputeKind? _loaded;

    /// <summary>The package of libtorch for this machine's processor.</summary>
    public static string CpuPackage => $"libtorch-cpu-{Rid}";

    /// <summary>The package of libtorch for CUDA devices.</summary>
    public static string CudaPackageHere => CudaPackage + Rid;

    /// <summary>Loads what a kind of device needs, once in a process.</summary>
    /// <exception cref="MASQuantException">MASQ0517: a library is missing or cannot be loaded.</exception>
    public static void Load(ComputeKind kind)
    {
        lock (Gate)
        {
            if (_loaded is null)
            {
                var folders = Folders(kind).Where(Directory.Exists).ToArray();
                AssemblyLoadContext.GetLoadContext(typeof(torch).Assembly)!.ResolvingUnmanagedDll += (_, name) => Find(folders, name) is { } file ? NativeLibrary.Load(file) : 0;
                foreach (var part in Parts)
                {
                    LoadPart(part, folders, kind);
                }

                _loaded = kind;
            }
        }
    }

    private static void LoadPart(string part, string[] folders, ComputeKind kind)
    {
        if (Find(folders, part) is not { } file)
        {
            if (part is "torch_cpu" or "LibTorchSharp")
            {
                throw Problem(kind, null, $"there is no {FileName(part)} in {(folders.Length == 0 ? "any folder" : string.Join(", ", folders.Select(folder => $"'{folder}'")))}. {Remedy(kind)}");
            }

            return;
        }

        try
        {
            NativeLibrary.Load(file);
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
        {
            // Linux' loader says which version of which library it misses; so does nothing else.
            var system = exception.Message.Contains("GLIBC", StringComparison.Ordinal)
                ? " It is built for a newer C++ library than this system has: use one with GCC 13's libstdc++ or later, such as Debian 13 or Ubuntu 24.04."
                : "";
            throw Problem(kind, file, $"the system cannot load it: {exception.Message.Trim()}{system}", exception);
        }
    }

    private static MASQuantException Problem(ComputeKind kind, string? file, string reason, Exception? inner = null)
        => new(DiagnosticCodes.ComputeLibraryNotLoadable, file, $"Compute={ComputeWords.Of(kind)} needs libtorch, but {reason}", inner);

    private static string Remedy(ComputeKind kind)
        => $"Add <PackageReference Include=\"{(kind == ComputeKind.TorchCuda ? CudaPackageHere : CpuPackage)}\" Version=\"{Version}\" ExcludeAssets=\"all\" /> to the project.";

    private static string? Find(string[] folders, string name) => folders.Select(folder => Path.Combine(folder, FileName(name))).FirstOrDefault(File.Exists);

    private static string FileName(string name)
        => OperatingSystem.IsWindows() ? name + ".dll" : OperatingSystem.IsMacOS() ? $"lib{name}.dylib" : $"lib{name}.so";

    // Beside this assembly, where a build or a publish puts them, or in the folder of packages that it lies in: PACKAGES/id/version/compute/framework.
    private static IEnumerable<string> Folders(ComputeKind kind)
    {
        var here = Path.GetDirectoryName(typeof(TorchLibraries).Assembly.Location)!;
        yield return here;
        yield return Path.Combine(here, "runtimes", Rid, "native");
        var packages = AppContext.GetData(PackagesSetting) as string ?? Path.GetFullPath(Path.Combine(here, "../../../.."));
        yield return Native(packages, "torchsharp", typeof(torch).Assembly.GetName().Version!.ToString(3));
        if (kind == ComputeKind.TorchCuda)
        {
            // In parts, since a package cannot hold them all.
            string[] parts = Directory.Exists(packages) ? Directory.GetDirectories(packages, $"{CudaPackageHere}*") : [];
            foreach (var part in parts.Order(StringComparer.Ordinal))
            {
                yield return Native(packages, Path.GetFileName(part), Version);
            }
        }

        // With CUDA too: without its package the device is said to be missing, not the library.
        yield return Native(packages, CpuPackage, Version);
    }

    private static string Native(string packages, string package, string version) => Path.Combine(packages, package, version, "runtimes", Rid, "native");

    private static string Rid
        => $"{(OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux")}-{RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant()}";
}
