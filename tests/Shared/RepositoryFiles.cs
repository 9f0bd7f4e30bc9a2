using System.Reflection;

namespace MASQuant.Tests;

/// <summary>Paths of the repository's data, whatever folder the tests run in.</summary>
internal static class RepositoryFiles
{
    public static string Root { get; } = Assembly.GetExecutingAssembly()
        .GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "RepositoryRoot").Value!;

    public static string OmniTiny => Path.Combine(Root, "samples", "models", "omni-tiny");

    public static string VlTiny => Path.Combine(Root, "samples", "models", "vl-tiny");

    public static string Data(string name) => Path.Combine(Root, "samples", "data", name);

    public static string Golden(string name) => Path.Combine(Root, "tests", "goldens", name);
}
