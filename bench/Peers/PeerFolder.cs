namespace MASQuant.Peers;

/// <summary>Where files of models lie while they are measured.</summary>
internal sealed class PeerFolder : IDisposable
{
    private readonly string _path = Directory.CreateTempSubdirectory("masquant-peers-").FullName;

    public string File(string name) => Path.Combine(_path, name);

    public void Dispose() => Directory.Delete(_path, recursive: true);
}
