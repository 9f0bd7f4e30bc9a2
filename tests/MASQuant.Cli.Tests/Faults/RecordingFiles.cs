namespace MASQuant.Cli.Tests.Faults;

/// <summary>A step that changes what lies on a disk, with paths below one folder.</summary>
/// <param name="Call">The call.</param>
/// <param name="Path">Of what.</param>
/// <param name="To">Its new name, if it gets one.</param>
/// <param name="Bytes">What is written.</param>
internal sealed record DiskStep(FileCall Call, string Path, string? To, byte[] Bytes);

/// <summary>The system's files; keeps a record of every write, sync, rename and deletion below a folder.</summary>
/// <param name="root">The folder.</param>
internal sealed class RecordingFiles(string root) : HeardFiles
{
    private readonly List<DiskStep> _steps = [];

    public IReadOnlyList<DiskStep> Steps => _steps;

    protected override void Before(FileCall call, string path)
    {
    }

    protected override void After(FileCall call, string path, string? to, ReadOnlySpan<byte> bytes)
    {
        if (call is not FileCall.SetTime && Path.GetFullPath(path).StartsWith(root, StringComparison.Ordinal))
        {
            _steps.Add(new DiskStep(call, Below(path), to is null ? null : Below(to), call == FileCall.Copy ? File.ReadAllBytes(to!) : bytes.ToArray()));
        }
    }

    private string Below(string path) => Path.GetRelativePath(root, path);
}
