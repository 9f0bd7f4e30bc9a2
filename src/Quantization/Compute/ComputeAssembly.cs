using System.Diagnostics.CodeAnalysis;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using MASQuant.Diagnostics;
using MASQuant.Platform;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Compute;

/// <summary>The assembly of the package that computes elsewhere. Nothing refers to it: it is found by its path, and loaded when a model is quantized.</summary>
/// <param name="Path">The assembly, absolute.</param>
public sealed record ComputeAssembly(string Path)
{
    private const string Name = "MASQuant.Torch";
    private const string Package = "MASQuant.Build.Torch";
    private const string Provider = Name + ".TorchProvider";

    /// <summary>The assembly at a path that somebody gave; null for an empty one.</summary>
    public static ComputeAssembly? At(string? path) => string.IsNullOrWhiteSpace(path) ? null : new(System.IO.Path.GetFullPath(path));

    /// <summary>What names the code that computes in keys; empty for managed code, which keys name by itself.</summary>
    /// <param name="kind">With what is computed.</param>
    /// <param name="assembly">Where that is, or null.</param>
    /// <param name="file">Who asks for it, for messages, or null.</param>
    /// <exception cref="MASQuantException">MASQ0516: the package is not there.</exception>
    public static string CodeOf(ComputeKind kind, ComputeAssembly? assembly, string? file = null) => kind == ComputeKind.Managed ? "" : Present(kind, assembly, file).Code(kind);

    /// <summary>Takes hold of what computes.</summary>
    /// <param name="kind">With what.</param>
    /// <param name="assembly">Where that is, unless it is managed code; null when nobody brought it.</param>
    /// <exception cref="MASQuantException">MASQ0516 the package is not there, MASQ0517 a library of it cannot be loaded, MASQ0518 there is no such device.</exception>
    public static ICompute Open(ComputeKind kind, ComputeAssembly? assembly)
        => kind == ComputeKind.Managed ? ManagedCompute.Instance : Present(kind, assembly, null).Load(kind).Open(kind);

    private static ComputeAssembly Present(ComputeKind kind, ComputeAssembly? assembly, string? file) => File.Exists(assembly?.Path) ? assembly : throw new MASQuantException(DiagnosticCodes.ComputePackageMissing, assembly?.Path ?? file,
        $"Compute={ComputeWords.Of(kind)} needs the package {Package}, which is not there. Add it to the project: dotnet add package {Package}; the masquant command takes it by --compute-assembly PATH. Or leave Compute out: {ComputeWords.Of(ComputeKind.Managed)} needs no package.");

    // The module's identity changes with its code, and with the version of the library that it was built on.
    private string Code(ComputeKind kind)
    {
        try
        {
            using var image = new PEReader(FileSystem.Current.Open(Path, FileMode.Open, FileAccess.Read, FileShare.Read));
            var metadata = image.GetMetadataReader();
            return metadata.GetGuid(metadata.GetModuleDefinition().Mvid).ToString();
        }
        catch (Exception exception) when (exception is BadImageFormatException or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            throw NotLoadable(kind, exception);
        }
    }

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "MSBuild and the masquant command, which quantize, are not trimmed.")]
    [UnconditionalSuppressMessage("Trimming", "IL2072", Justification = "MSBuild and the masquant command, which quantize, are not trimmed.")]
    private IComputeProvider Load(ComputeKind kind)
    {
        try
        {
            var provider = ComputeLoadContext.For(Path).LoadFromAssemblyPath(Path).GetType(Provider, throwOnError: true)!;
            return (IComputeProvider)Activator.CreateInstance(provider)!;
        }
        catch (Exception exception) when (exception is BadImageFormatException or IOException or TypeLoadException or InvalidCastException or MissingMethodException)
        {
            throw NotLoadable(kind, exception);
        }
    }

    private MASQuantException NotLoadable(ComputeKind kind, Exception exception) => new(DiagnosticCodes.ComputeLibraryNotLoadable, Path,
        $"Compute={ComputeWords.Of(kind)} cannot load this assembly: {exception.Message} Name {Name}.dll of the package {Package}, in the version of the other packages.", exception);
}
