namespace MASQuant.Tests;

/// <summary>A folder that is deleted when the test ends; nothing in it may be open or mapped then.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("masquant-test-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose()
    {
        var left = OpenFiles.Under(Path);
        Directory.Delete(Path, recursive: true);
        Assert.True(left.Count == 0, "A test leaves files open: " + string.Join(", ", left));
    }
}
