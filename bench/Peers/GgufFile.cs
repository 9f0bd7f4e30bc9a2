using System.Text;

namespace MASQuant.Peers;

/// <summary>Writes a decoder of random weights as GGUF version 3 (<see href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md"/>), architecture qwen2, head tied.</summary>
internal sealed class GgufFile
{
    private const int Alignment = 32;
    private const uint Uint32 = 4, Float32 = 6, Text = 8, Array = 9, Int32 = 5;

    private readonly PeerShape _shape;
    private readonly GgufMix _mix;
    private readonly List<(string Name, long[] Extents, GgufType Type)> _tensors = [];

    private GgufFile(PeerShape shape, GgufMix mix)
    {
        (_shape, _mix) = (shape, mix);
        Add("token_embd.weight", mix.Fine, shape.Hidden, PeerShape.Vocabulary);
        for (var layer = 0; layer < shape.Layers; layer++)
        {
            var keys = shape.KeyHeads * shape.HeadSize;
            var (usual, fine, f32) = (mix.Usual, mix.Fineness(layer, shape.Layers), GgufType.F32);
            void Of(string name, GgufType type, params long[] extents) => Add($"blk.{layer}.{name}", type, extents);
            Of("attn_norm.weight", f32, shape.Hidden);
            Of("attn_q.weight", usual, shape.Hidden, shape.Hidden);
            Of("attn_q.bias", f32, shape.Hidden);
            Of("attn_k.weight", usual, shape.Hidden, keys);
            Of("attn_k.bias", f32, keys);
            Of("attn_v.weight", fine, shape.Hidden, keys);
            Of("attn_v.bias", f32, keys);
            Of("attn_output.weight", usual, shape.Hidden, shape.Hidden);
            Of("ffn_norm.weight", f32, shape.Hidden);
            Of("ffn_gate.weight", usual, shape.Hidden, shape.Intermediate);
            Of("ffn_up.weight", usual, shape.Hidden, shape.Intermediate);
            Of("ffn_down.weight", fine, shape.Intermediate, shape.Hidden);
        }

        Add("output_norm.weight", GgufType.F32, shape.Hidden);
    }

    /// <summary>Writes the file.</summary>
    public static void Write(string path, PeerShape shape, GgufMix mix) => new GgufFile(shape, mix).Write(path);

    private void Add(string name, GgufType type, params long[] extents) => _tensors.Add((name, extents, type));

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

            writer.Write(tensor.Type.Id);
            writer.Write((ulong)offset);
            offset += (tensor.Type.SizeOf(tensor.Extents) + Alignment - 1) / Alignment * Alignment;
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
            () => Number("general.file_type", _mix.FileType),
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

    private static void Values(BinaryWriter writer, (string Name, long[] Extents, GgufType Type) tensor)
    {
        var size = tensor.Type.SizeOf(tensor.Extents);
        if (tensor.Type != GgufType.F32)
        {
            tensor.Type.WriteRandom(writer, size);
            return;
        }

        for (var i = 0L; i < size / sizeof(float); i++)
        {
            writer.Write(tensor.Name.EndsWith("bias", StringComparison.Ordinal) ? 0f : 1f);
        }
    }

    private static void String(BinaryWriter writer, string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }
}
