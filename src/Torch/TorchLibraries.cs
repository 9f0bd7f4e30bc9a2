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

    private const string CudaPackage = "libtorch-cuda-12.8-";

    // Each after those that it needs; those of CUDA lie there in a CUDA package alone.
    private static readonly string[] Parts = ["c10", "torch_cpu", "c10_cuda", "torch_cuda", "torch", "LibTorchSharp"];
    private static readonly Lock Gate = new();
    private static ComputeKind? _loaded;

    /// <summary>The package of libtorch for CUDA devices.</summary>
    public static string CudaPackageHere => CudaPackage + LibtorchPackage.Rid;

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
                throw Problem(kind, null, $"there is no {LibtorchPackage.FileName(part)} in {(folders.Length == 0 ? "any folder" : string.Join(", ", folders.Select(folder => $"'{folder}'")))}. {Remedy(kind)}");
            }

            return;
        }

        try
        {
            NativeLibrary.Load(file);
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
        {
            throw Problem(kind, file, LibtorchPackage.Refusal(exception), exception);
        }
    }

    private static MASQuantException Problem(ComputeKind kind, string? file, string reason, Exception? inner = null)
        => new(DiagnosticCodes.ComputeLibraryNotLoadable, file, $"Compute={ComputeWords.Of(kind)} needs libtorch, but {reason}", inner);

    private static string Remedy(ComputeKind kind)
        => $"Add <PackageReference Include=\"{(kind == ComputeKind.TorchCuda ? CudaPackageHere : LibtorchPackage.Cpu)}\" Version=\"{LibtorchPackage.Version}\" ExcludeAssets=\"all\" /> to the project.";

    private static string? Find(string[] folders, string name) => folders.Select(folder => Path.Combine(folder, LibtorchPackage.FileName(name))).FirstOrDefault(File.Exists);

    // Beside this assembly, where a build or a publish puts them, or in the folder of packages that it lies in: PACKAGES/id/version/compute/framework.
    private static IEnumerable<string> Folders(ComputeKind kind)
    {
        var here = Path.GetDirectoryName(typeof(TorchLibraries).Assembly.Location)!;
        yield return here;
        yield return Path.Combine(here, "runtimes", LibtorchPackage.Rid, "native");
        var packages = AppContext.GetData(PackagesSetting) as string ?? Path.GetFullPath(Path.Combine(here, "../../../.."));
        yield return Native(packages, "torchsharp", typeof(torch).Assembly.GetName().Version!.ToString(3));
        if (kind == ComputeKind.TorchCuda)
        {
            // In parts, since a package cannot hold them all.
            string[] parts = Directory.Exists(packages) ? Directory.GetDirectories(packages, $"{CudaPackageHere}*") : [];
            foreach (var part in parts.Order(StringComparer.Ordinal))
            {
                yield return Native(packages, Path.GetFileName(part), LibtorchPackage.Version);
            }
        }

        // With CUDA too: without its package the device is said to be missing, not the library.
        yield return Native(packages, LibtorchPackage.Cpu, LibtorchPackage.Version);
    }

    private static string Native(string packages, string package, string version) => Path.Combine(packages, package, version, "runtimes", LibtorchPackage.Rid, "native");
}
