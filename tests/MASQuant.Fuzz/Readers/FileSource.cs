using System.Diagnostics.CodeAnalysis;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Fuzz.Readers;

/// <summary>A model that is a few files and no weights.</summary>
/// <param name="files">The files by name.</param>
internal sealed class FileSource(params (string Name, byte[] Content)[] files) : IModelSource
{
    public string Path => "model";

    public ModelFamily Family => ModelFamilies.Known.Of(this);

    public IReadOnlyCollection<TensorInfo> Tensors => [];

    public bool TryReadFile(string fileName, out ReadOnlyMemory<byte> content)
    {
        var index = Array.FindIndex(files, file => file.Name == fileName);
        content = index < 0 ? default : files[index].Content;
        return index >= 0;
    }

    public bool TryGet(string name, [NotNullWhen(true)] out TensorInfo? tensor)
    {
        tensor = null;
        return false;
    }

    public ReadOnlyMemory<byte> Bytes(string name) => default;

    public ReadOnlyMemory<byte> Bytes(string name, long offset, int count) => default;

    public void RequireWhole()
    {
    }

    public void Dispose()
    {
    }
}
