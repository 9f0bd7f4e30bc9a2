using System.Text;

namespace MASQuant.Peers;

/// <summary>Writes a decoder of random weights as GGUF version 3 (<see href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md"/>), architecture qwen2, weights in Q4_0 or Q8_0, head tied.</summary>
internal sealed class GgufFile
{
    private const int Alignment = 32;
    private const int BlockValues = 32;
    private const uint Uint32 = 4, Float32 = 6, Text = 8, Array = 9, Int32 = 5;

    private readonly PeerShape _shape;
    private readonly bool _eightBits;
    private readonly List<(string Name, long[] Extents, bool Quantized)> _tensors = [];

    private GgufFile(PeerShape shape, bool eightBits)
    {
        (_shape, _eightBits) = (shape, eightBits);
        Add("token_embd.weight", quantized: true, shape.Hidden, PeerShape.Vocabulary);
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            var keys = shape.KeyHeads * shape.HeadSize;
            void Of(string name, bool quantized, params long[] extents) => Add($"blk.{layer}.{name}", quantized, extents);
            Of("attn_norm.weight", false, shape.Hidden);
            Of("attn_q.weight", true, shape.Hidden, shape.Hidden);
            Of("attn_q.bias", false, shape.Hidden);
            Of("attn_k.weight", true, shape.Hidden, keys);
            Of("attn_k.bias", false, keys);
            Of("attn_v.weight", true, shape.Hidden, keys);
            Of("attn_v.bias", false, keys);
            Of("attn_output.weight", true, shape.Hidden, shape.Hidden);
            Of("ffn_norm.weight", false, shape.Hidden);
            Of("ffn_gate.weight", true, shape.Hidden, shape.Intermediate);
            Of("ffn_up.weight", true, shape.Hidden, shape.Intermediate);
            Of("ffn_down.weight", true, shape.Intermediate, shape.Hidden);
        }

        Add("output_norm.weight", quantized: false, shape.Hidden);
    }

    /// <summary>Writes the file.</summary>
    public static void Write(string path, PeerShape shape, bool eightBits) => new GgufFile(shape, eightBits).Write(path);

    private void Add(string name, bool quantized, params long[] extents) => _tensors.Add((name, extents, quantized));

    private long BytesOf((string Name, long[] Extents, bool Quantized) tensor)
    {
        var values = tensor.Extents.Aggregate(1L, (product, extent) => checked(product * extent));
        return tensor.Quantized ? values / BlockValues * BlockBytes : values * sizeof(float);
    }

    private int BlockBytes => sizeof(ushort) + (_eightBits ? BlockValues : BlockValues / 2);

    private void Write(string path)
    {
        using var stream = new BufferedStream(File.Create(path), 1 << 20);
        using var writer = new BinaryWriter(stream);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write((ulong)_tensors.Count);
        Metadata(writer);
        var offset = 0L;
        foreach (var tensor in _tensors)
        {
            String(writer, tensor.Name);
            writer.Write((uint)tensor.Extents.Length);
            foreach (var extent in tensor.Extents)
            {
                writer.Write((ulong)extent);
            }

            writer.Write(tensor.Quantized ? _eightBits ? 8u : 2u : 0u);
            writer.Write((ulong)offset);
            offset += (BytesOf(tensor) + Alignment - 1) / Alignment * Alignment;
        }

        foreach (var tensor in _tensors)
        {
            writer.Flush();
            writer.Write(new byte[(Alignment - (stream.Position % Alignment)) % Alignment]);
            Values(writer, tensor);
        }

        writer.Flush();
        writer.Write(new byte[(Alignment - (stream.Position % Alignment)) % Alignment]);
    }

    private void Metadata(BinaryWriter writer)
    {
        var pairs = new List<Action>
        {
            () => Pair("general.architecture", "qwen2"),
            () => Number("qwen2.context_length", 32768),
            () => Number("qwen2.embedding_length", _shape.Hidden),
            () => Number("qwen2.block_count", _shape.Layers),
            () => Number("qwen2.feed_forward_length", _shape.Intermediate),
            () => Number("qwen2.attention.head_count", _shape.Heads),
            () => Number("qwen2.attention.head_count_kv", _shape.KeyHeads),
            () => Real("qwen2.attention.layer_norm_rms_epsilon", 1e-6f),
            () => Real("qwen2.rope.freq_base", 1e6f),
            () => Number("general.file_type", _eightBits ? 7 : 2),
            () => Pair("tokenizer.ggml.model", "gpt2"),
            () => Pair("tokenizer.ggml.pre", "qwen2"),
            () => Texts("tokenizer.ggml.tokens", Enumerable.Range(0, PeerShape.Vocabulary).Select(id => $"t{id}")),
            () => Kinds("tokenizer.ggml.token_type"),
            () => Texts("tokenizer.ggml.merges", ["t 0"]),
        };
        writer.Write((ulong)pairs.Count);
        pairs.ForEach(write => write());

        void Pair(string key, string value) { Key(key, Text); String(writer, value); }

        void Number(string key, int value) { Key(key, Uint32); writer.Write((uint)value); }

        void Real(string key, float value) { Key(key, Float32); writer.Write(value); }

        void Texts(string key, IEnumerable<string> values)
        {
            string[] all = [.. values];
            Key(key, Array);
            writer.Write(Text);
            writer.Write((ulong)all.Length);
            System.Array.ForEach(all, value => String(writer, value));
        }

        void Kinds(string key)
        {
            Key(key, Array);
            writer.Write(Int32);
            writer.Write((ulong)PeerShape.Vocabulary);
            for (var id = 0; id < PeerShape.Vocabulary; id++)
            {
                writer.Write(1); // normal
            }
        }

        void Key(string key, uint kind)
        {
            String(writer, key);
            writer.Write(kind);
        }
    }

    // Random codes under one scale, so that no number overflows on its way.
    private void Values(BinaryWriter writer, (string Name, long[] Extents, bool Quantized) tensor)
    {
        if (!tensor.Quantized)
        {
            for (var i = 0L; i < BytesOf(tensor) / sizeof(float); i++)
            {
                writer.Write(tensor.Name.EndsWith("bias", StringComparison.Ordinal) ? 0f : 1f);
            }

            return;
        }

        var random = new Random(1);
        var scale = BitConverter.GetBytes((Half)(_eightBits ? 0.0002f : 0.003f));
        var blocks = new byte[BlockBytes * 4096];
        for (var left = BytesOf(tensor); left > 0; left -= Math.Min(left, blocks.Length))
        {
            random.NextBytes(blocks);
            for (var at = 0; at < blocks.Length; at += BlockBytes)
            {
                scale.CopyTo(blocks, at);
            }

            writer.Write(blocks, 0, (int)Math.Min(left, blocks.Length));
        }
    }

    private static void String(BinaryWriter writer, string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }
}
