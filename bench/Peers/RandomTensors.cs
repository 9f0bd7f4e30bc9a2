using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Peers;

/// <summary>The tensors of a vision tower, all of them the same small random numbers in BF16.</summary>
internal sealed class RandomTensors : ITensorSource
{
    private readonly Dictionary<string, TensorInfo> _tensors = [];
    private readonly byte[] _values;

    public RandomTensors(VisionTowerDescription tower)
    {
        Add("", tower.PatchEmbedding);
        foreach (var block in (IEnumerable<BlockDescription>)[.. tower.Blocks, tower.Merger])
        {
            foreach (var linear in block.Projections.SelectMany(step => step.Linears))
            {
                Add(block.Prefix, linear);
            }

            foreach (var norm in block.Norms)
            {
                Add(block.Prefix + norm.Name + ".weight", tower.Config.HiddenSize);
            }
        }

        _values = new byte[_tensors.Values.Max(tensor => tensor.Bytes)];
        Fill(new Random(1), _values);
    }

    public string Path => "random numbers";

    public IReadOnlyCollection<TensorInfo> Tensors => _tensors.Values;

    /// <summary>BF16 numbers from −0.05 to 0.05.</summary>
    public static void Fill(Random random, byte[] target)
    {
        foreach (ref var value in MemoryMarshal.Cast<byte, ushort>(target.AsSpan()))
        {
            value = (ushort)(BitConverter.SingleToUInt32Bits((random.NextSingle() - 0.5f) * 0.1f) >> 16);
        }
    }

    public bool TryGet(string name, [NotNullWhen(true)] out TensorInfo? tensor) => _tensors.TryGetValue(name, out tensor);

    public ReadOnlyMemory<byte> Bytes(string name) => _values.AsMemory(0, checked((int)_tensors[name].Bytes));

    public void Dispose()
    {
    }

    private void Add(string prefix, LinearDescription linear)
    {
        Add(prefix + linear.Name + ".weight", linear.Outputs, linear.Inputs);
        if (linear.Bias != BiasPresence.None)
        {
            Add(prefix + linear.Name + ".bias", linear.Outputs);
        }
    }

    private void Add(string name, params int[] shape) => _tensors[name] = new TensorInfo(name, DataType.BF16, shape);
}
