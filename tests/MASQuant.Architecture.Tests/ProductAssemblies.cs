using MASQuant.Tests;
using Mono.Cecil;

namespace MASQuant.Architecture.Tests;

/// <summary>The product's assemblies, as they were compiled.</summary>
internal static class ProductAssemblies
{
    /// <summary>The root namespace of the types of <c>src/NAME</c>: the assembly's name, but for the words that applications use.</summary>
    public static string RootNamespace(string project) => project == "Abstractions" ? "MASQuant" : "MASQuant." + project;

    /// <summary>The projects of <c>src</c> that have code.</summary>
    public static IReadOnlyList<string> Projects { get; } =
        [.. Directory.GetDirectories(Path.Combine(RepositoryFiles.Root, "src"))
            .Where(folder => Sources(folder).Any() && Directory.GetFiles(folder, "MASQuant.*.csproj").Length == 1)
            .Select(folder => Path.GetFileName(folder)!)
            .Where(project => project != "Templates")
            .Order(StringComparer.Ordinal)];

    /// <summary>The C# files of a folder that people write.</summary>
    public static IEnumerable<string> Sources(string folder)
        => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Where(file => !Path.GetRelativePath(folder, file).Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin"));

    /// <summary>Every type that was written in a file of a project, not in a file that it shares with another; nested and generated ones under the type that holds them.</summary>
    public static IEnumerable<TypeDefinition> Types(string project)
        => AssemblyDefinition.ReadAssembly(Path.Combine(AppContext.BaseDirectory, $"MASQuant.{project}.dll")).MainModule.Types
            .Where(type => $"{type.Namespace}.".StartsWith(RootNamespace(project) + ".", StringComparison.Ordinal));
}
