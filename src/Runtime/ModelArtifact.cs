using MASQuant.Engine.Execution;
using MASQuant.Formats.Artifacts;
using MASQuant.Platform;

namespace MASQuant.Runtime;

/// <summary>The open artifact of a quantized model: what <see cref="LayerLoader"/> reads single layers from.</summary>
public sealed class ModelArtifact
{
    internal ModelArtifact(Artifact content, UserCount users) => (Content, Users) = (content, users);

    /// <summary>The file.</summary>
    public string Path => Content.Path;

    /// <summary>The file's size in bytes.</summary>
    public long Bytes => FileSystem.Current.Info(Path).Length;

    internal Artifact Content { get; }

    internal UserCount Users { get; }
}
