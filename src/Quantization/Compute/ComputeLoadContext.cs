using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.Loader;

namespace MASQuant.Quantization.Compute;

/// <summary>Keeps the libraries of a compute assembly away from those of MSBuild and other tasks. This product's own assemblies are those that are loaded already; others lie beside the compute assembly, or in the folder of packages that it lies in.</summary>
internal sealed class ComputeLoadContext : AssemblyLoadContext
{
    private static readonly ConcurrentDictionary<string, ComputeLoadContext> Known = new(StringComparer.Ordinal);
    private static readonly string[] Frameworks = ["net10.0", "net9.0", "net8.0", "net6.0", "netstandard2.1", "netstandard2.0"];
    private readonly string _folder;

    private ComputeLoadContext(string path)
        : base("MASQuant compute") => _folder = Path.GetDirectoryName(path)!;

    /// <summary>One per assembly: a native library is loaded once in a process.</summary>
    public static ComputeLoadContext For(string path) => Known.GetOrAdd(path, path => new ComputeLoadContext(path));

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "MSBuild and the masquant command, which quantize, are not trimmed.")]
    protected override Assembly? Load(AssemblyName assemblyName)
    {
        if (Shared(assemblyName.Name ?? "") is { } shared)
        {
            return shared;
        }

        return Candidates(assemblyName).FirstOrDefault(File.Exists) is { } file ? LoadFromAssemblyPath(file) : null;
    }

    private static Assembly? Shared(string name)
        => name.StartsWith("MASQuant.", StringComparison.Ordinal)
            ? GetLoadContext(typeof(ComputeLoadContext).Assembly)!.Assemblies.FirstOrDefault(loaded => loaded.GetName().Name == name)
            : null;

    // The package lies in PACKAGES/id/version/compute/framework.
    private IEnumerable<string> Candidates(AssemblyName name)
    {
        yield return Path.Combine(_folder, name.Name + ".dll");
        foreach (var framework in name.Version is null ? [] : Frameworks)
        {
            yield return Path.GetFullPath(Path.Combine(_folder, "../../../..", name.Name!.ToLowerInvariant(), name.Version!.ToString(3), "lib", framework, name.Name + ".dll"));
        }
    }
}
