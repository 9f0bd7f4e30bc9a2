namespace MASQuant.Fuzz;

/// <summary>A folder for inputs that are read from files: in memory where the system has such a place, so that a million of them write no disk.</summary>
internal sealed class Scratch : IDisposable
{
    private const string Memory = "/dev/shm";

    /// <summary>The folder.</summary>
    public string Path { get; } = Directory.Exists(Memory) ? Directory.CreateDirectory($"{Memory}/masquant-fuzz-{Guid.NewGuid():N}").FullName : Directory.CreateTempSubdirectory("masquant-fuzz-").FullName;

    /// <summary>Writes a file, the last content over the one before, and gives its path.</summary>
    public string File(string name, byte[] content)
    {
        var path = System.IO.Path.Combine(Path, name);
        System.IO.File.WriteAllBytes(path, content);
        return path;
    }

    /// <summary>Writes a file that stays as it is.</summary>
    public string Once(string name, byte[] content) => System.IO.File.Exists(System.IO.Path.Combine(Path, name)) ? System.IO.Path.Combine(Path, name) : File(name, content);

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
