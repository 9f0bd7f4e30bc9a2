using MASQuant.Diagnostics;

namespace MASQuant.Formats.Artifacts;

/// <summary>The names and places of a quantized model's files.</summary>
public static class ModelFiles
{
    /// <summary>How an artifact's file name ends.</summary>
    public const string ArtifactSuffix = ".masquant.safetensors";

    /// <summary>How a manifest's file name ends.</summary>
    public const string ManifestSuffix = ".masquant.json";

    /// <summary>The folder, inside the application's, that builds copy models into.</summary>
    public const string Folder = "models";

    /// <summary>Finds a model that was built into the running application: in <c>models</c> beside its assemblies, then beside its executable (which differ for a single file).</summary>
    /// <param name="fileName">The artifact's file name.</param>
    /// <returns>The full path.</returns>
    /// <exception cref="MASQuantException">MASQ0705, naming every place that was tried.</exception>
    public static string Find(string fileName) => Find(fileName, [AppContext.BaseDirectory, Path.GetDirectoryName(Environment.ProcessPath)]);

    internal static string Find(string fileName, IReadOnlyList<string?> folders)
    {
        var places = folders.OfType<string>().Select(folder => Path.GetFullPath(Path.Combine(folder, Folder, fileName))).Distinct().ToArray();
        return Array.Find(places, File.Exists) ?? throw new MASQuantException(DiagnosticCodes.ArtifactNotFound, places.FirstOrDefault(),
            $"The model '{fileName}' is neither at {string.Join(" nor at ", places.Select(place => $"'{place}'"))}. Build the application again, or pass the artifact's path to Load.");
    }
}
