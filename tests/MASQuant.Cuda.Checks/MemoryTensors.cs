using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Checks;

/// <summary>What a decoder has besides its blocks, held in memory.</summary>
internal sealed class MemoryTensors(TextConfig config, byte[] head, byte[] embedding, float[] finalNorm) : ITensorSource
{
    private readonly Dictionary<string, (TensorInfo Tensor, byte[] Bytes)> _tensors = new (TensorInfo Tensor, byte[] Bytes)[]
    {
        (new("lm_head.weight", DataType.BF16, [config.VocabularySize, config.HiddenSize]), head),
        (new("model.embed_tokens.weight", DataType.BF16, [config.VocabularySize, config.HiddenSize]), embedding),
        (new("model.norm.weight", DataType.F32, [config.HiddenSize]), MemoryMarshal.AsBytes<float>(finalNorm).ToArray()),
    }.ToDictionary(entry => entry.Tensor.Name);

    public string Path => "memory";

    public IReadOnlyCollection<TensorInfo> Tensors => [.. _tensors.Values.Select(entry => entry.Tensor)];

    public bool TryGet(string name, [NotNullWhen(true)] out TensorInfo? tensor)
    {
        tensor = _tensors.TryGetValue(name, out var entry) ? entry.Tensor : null;
        return tensor is not null;
    }

    public ReadOnlyMemory<byte> Bytes(string name) => _tensors[name].Bytes;

    public void Dispose()
    {
    }
}
