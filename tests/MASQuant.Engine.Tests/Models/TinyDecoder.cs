using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>The decoder of a sample checkpoint in full precision, and prompts made of a golden's own embeddings.</summary>
internal static class TinyDecoder
{
    public static SafetensorsFile OpenVL() => SafetensorsFile.Open(Path.Combine(RepositoryFiles.VlTiny, "model.safetensors"));

    public static Decoder Read(ITensorSource source, TextConfig config)
    {
        var description = Qwen25Decoder.Describe(config);
        return Decoder.Read(source, description, layer => TransformerBlock.Read(source, description.Blocks[layer]));
    }

    public static PreparedPrompt Prompt(Golden golden)
    {
        var config = TinyConfigs.Of(golden);
        var ids = golden.Integers("input_ids");
        return new PreparedPrompt
        {
            InputIds = ids,
            PositionIds = PositionIds.Of(ids, GoldenMedia.Extents(golden, config), config),
            InputEmbeddings = new Matrix(ids.Length, config.Text.HiddenSize, golden.Floats("inputs_embeds")),
            Modalities = PlaceholderTokens.Map(ids, config),
            AnswerRange = ids.Length..ids.Length,
        };
    }
}
