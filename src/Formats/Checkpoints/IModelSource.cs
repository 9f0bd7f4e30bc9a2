using MASQuant.Diagnostics;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Formats.Checkpoints;

/// <summary>A whole model: its tensors and the JSON files that came with them. A <see cref="Checkpoint"/> or an artifact.</summary>
public interface IModelSource : ITensorSource
{
    /// <summary>The family, by <c>config.json</c>.</summary>
    /// <exception cref="MASQuantException">MASQ0201 malformed, MASQ0202 unknown architecture, MASQ0204 missing.</exception>
    ModelFamily Family { get; }

    /// <summary>The content of a file such as <c>config.json</c> or <c>tokenizer.json</c>; false when the model has none of that name.</summary>
    /// <exception cref="MASQuantException">MASQ0101 unreadable or too large, MASQ0104 a Git LFS pointer.</exception>
    bool TryReadFile(string fileName, out ReadOnlyMemory<byte> content);

    /// <summary>Refuses files that have become shorter since they were mapped: to read beyond their end would kill the process. Files are to be replaced by renaming, never overwritten in place, while a model is open.</summary>
    /// <exception cref="MASQuantException">MASQ0101.</exception>
    void RequireWhole();
}

/// <summary>Conveniences over <see cref="IModelSource"/>.</summary>
public static class ModelSourceExtensions
{
    /// <summary>The content of a file that must be there.</summary>
    /// <exception cref="MASQuantException">MASQ0204: there is none of that name.</exception>
    public static ReadOnlyMemory<byte> ReadFile(this IModelSource source, string fileName)
        => source.TryReadFile(fileName, out var content)
            ? content
            : throw new MASQuantException(DiagnosticCodes.ModelFileMissing, source.Path,
                $"The model lacks '{fileName}'. Take it from the checkpoint's repository and put it beside the weights.");
}
