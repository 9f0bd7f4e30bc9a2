using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Nodes;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Bench;

/// <summary>A checkpoint that is nowhere: the tensors that a configuration calls for, but for the blocks' linear layers, in BF16. All of them show the same random values.</summary>
/// <param name="small">The folder of the model that gives the tokenizer and what else no weight depends on.</param>
/// <param name="change">Makes its configuration another model's.</param>
internal sealed class RandomSource(string small, Action<JsonObject> change) : IModelSource
{
    private readonly byte[] _values = Values();
    private Dictionary<string, TensorInfo> _tensors = [];

    public string Path => small;

    public ModelFamily Family => ModelFamilies.Known.Of(this);

    public IReadOnlyCollection<TensorInfo> Tensors => _tensors.Values;

    /// <summary>Has the tensors of a model from here on.</summary>
    public void Describe(ModelConfig config)
    {
        var (decoder, tower) = (config.Decoder(), config.VisionTower());
        TensorInfo[] tables = [Tensor(decoder.Embedding, decoder.Config.VocabularySize, decoder.Config.HiddenSize), Tensor(decoder.Head, decoder.Config.VocabularySize, decoder.Config.HiddenSize), .. Linear("", tower.PatchEmbedding)];
        var blocks = decoder.Blocks.Concat(tower.Blocks).Concat(tower.Mergers).ToArray();
        _tensors = tables
            .Concat(blocks.SelectMany(block => block.Norms.SelectMany(norm => Norm(block.Prefix, norm)))).Concat(Norm("", decoder.FinalNorm))
            .Concat(blocks.SelectMany(block => block.Projections.Where(step => step.Group is null).SelectMany(step => step.Linears.SelectMany(linear => Linear(block.Prefix, linear)))))
            .DistinctBy(tensor => tensor.Name).ToDictionary(tensor => tensor.Name);
    }

    public bool TryGet(string name, [NotNullWhen(true)] out TensorInfo? tensor) => _tensors.TryGetValue(name, out tensor);

    public ReadOnlyMemory<byte> Bytes(string name) => Bytes(name, 0, checked((int)_tensors[name].Bytes));

    public ReadOnlyMemory<byte> Bytes(string name, long offset, int count)
        => count <= _values.Length ? _values.AsMemory(0, count) : throw new ArgumentOutOfRangeException(nameof(count));

    public bool TryReadFile(string fileName, out ReadOnlyMemory<byte> content)
    {
        if (!Checkpoint.TryReadFile(small, fileName, out content))
        {
            return false;
        }

        if (fileName == ModelConfigReader.FileName)
        {
            var config = JsonNode.Parse(content.Span)!.AsObject();
            change(config);
            content = JsonSerializer.SerializeToUtf8Bytes<JsonNode>(config);
        }

        return true;
    }

    public void RequireWhole()
    {
    }

    public void Dispose()
    {
    }

    // Within ±1/64: sums over thousands of inputs stay small.
    private static byte[] Values()
    {
        var values = new byte[1 << 30];
        var random = new Random(1);
        random.NextBytes(values.AsSpan(0, 1 << 20));
        for (var i = 1; i < 1 << 20; i += 2)
        {
            values[i] = (byte)((values[i] & 0x80) | 0x3C);
        }

        for (var filled = 1 << 20; filled < values.Length; filled *= 2)
        {
            values.AsSpan(0, filled).CopyTo(values.AsSpan(filled));
        }

        return values;
    }

    private static TensorInfo Tensor(string name, params int[] shape) => new(name, DataType.BF16, shape);

    private static IEnumerable<TensorInfo> Linear(string prefix, LinearDescription linear)
    {
        yield return Tensor($"{prefix}{linear.Name}.weight", linear.Outputs, linear.Inputs);
        if (linear.Bias == BiasPresence.Required)
        {
            yield return Tensor($"{prefix}{linear.Name}.bias", linear.Outputs);
        }
    }

    private static TensorInfo[] Norm(string prefix, NormDescription norm)
        => norm.Kind == NormKind.Layer ? [Tensor($"{prefix}{norm.Name}.weight", norm.Size), Tensor($"{prefix}{norm.Name}.bias", norm.Size)] : [Tensor($"{prefix}{norm.Name}.weight", norm.Size)];
}
