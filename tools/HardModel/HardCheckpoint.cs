using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Safetensors;

namespace MASQuant.HardModel;

/// <summary>omni-tiny made harder to quantize: four times as wide, the same function.</summary>
internal static class HardCheckpoint
{
    private const string Prefix = "thinker."; // Of the decoder and the towers, as the hub stores them.
    private const int HeadSize = 64;
    private const float HeadNormGain = 0.75f; // As omni-tiny's on its loud channels.

    /// <summary>Writes the harder form of the checkpoint in <paramref name="source"/> to <paramref name="folder"/>.</summary>
    public static void Write(string source, string folder)
    {
        Directory.CreateDirectory(folder);
        using var narrow = Checkpoint.Open(source);
        SafetensorsWriter.Write(Path.Combine(folder, Checkpoint.SingleFileName), Payloads(narrow));
        foreach (var file in Directory.EnumerateFiles(source).Where(file => !Path.GetFileName(file).StartsWith("model", StringComparison.Ordinal)))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        }

        WideConfig.Write(Path.Combine(source, WideConfig.FileName), Path.Combine(folder, WideConfig.FileName));
    }

    private static IEnumerable<TensorPayload> Payloads(Checkpoint narrow)
    {
        var widen = new WideMatrix(new Widening());
        foreach (var tensor in narrow.Tensors)
        {
            var old = narrow.ReadFloats(tensor.Name, [.. tensor.Shape]);
            var wide = Values(widen, tensor, old);
            yield return ReferenceEquals(wide, old)
                ? TensorPayload.From(narrow, tensor, Prefix + tensor.Name)
                : TensorPayload.OfBFloat16(Prefix + tensor.Name, wide, Shape(tensor, wide.Length / old.Length));
        }
    }

    private static float[] Values(WideMatrix widen, TensorInfo tensor, float[] old)
    {
        var draws = new Draws(tensor.Name);
        return tensor.Name switch
        {
            "model.embed_tokens.weight" => widen.Table(old, loud: true),
            "audio_tower.audio_bos_eos_token.weight" => widen.Table(old, loud: false),
            "audio_tower.proj.weight" or "visual.merger.mlp.2.weight" => widen.Written(old, tensor.Shape[1]),
            "audio_tower.proj.bias" => widen.Written(old, 1, group => group.Audio),
            "visual.merger.mlp.2.bias" => widen.Written(old, 1, group => group.Vision),
            "model.norm.weight" => widen.Gain(old, _ => HeadNormGain),
            "lm_head.weight" => widen.Reading(old, draws),
            var name when !name.StartsWith("model.layers.", StringComparison.Ordinal) => old,
            var name when name.EndsWith("layernorm.weight", StringComparison.Ordinal) => widen.Gain(old, group => group.Gain),
            var name when name.EndsWith("q_proj.weight", StringComparison.Ordinal) => widen.Reading(old, draws, HeadSize, Widening.Copies),
            var name when name.EndsWith("q_proj.bias", StringComparison.Ordinal) => [.. old.Chunk(HeadSize).SelectMany(head => Enumerable.Repeat(head, Widening.Copies)).SelectMany(head => head)],
            var name when name.EndsWith("o_proj.weight", StringComparison.Ordinal) => widen.AttentionOutput(old, HeadSize, draws),
            var name when name.EndsWith("down_proj.weight", StringComparison.Ordinal) => widen.Written(old, tensor.Shape[1]),
            var name when name.EndsWith(".weight", StringComparison.Ordinal) => widen.Reading(old, draws),
            _ => old,
        };
    }

    // Every extent of 256 in a tensor that has grown is the residual stream's or the query heads'.
    private static int[] Shape(TensorInfo tensor, int growth)
    {
        var shape = tensor.Shape.ToArray();
        for (var i = 0; i < shape.Length && growth > 1; i++)
        {
            if (shape[i] == Widening.Narrow)
            {
                shape[i] *= Widening.Copies;
                growth /= Widening.Copies;
            }
        }

        return shape;
    }
}
