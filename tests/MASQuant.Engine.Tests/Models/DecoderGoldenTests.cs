using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>The decoder against the reference, from the reference's own embeddings.</summary>
public sealed class DecoderGoldenTests : IDisposable
{
    private readonly SafetensorsFile _file = TinyDecoder.OpenVL();

    public static TheoryData<string> Cases => Golden.VL;

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_layer_and_the_logits_match_the_reference(string name)
    {
        var golden = Golden.Load(name);
        var config = TinyConfigs.Of(golden).Text;
        var decoder = TinyDecoder.Read(_file, config);
        var prompt = TinyDecoder.Prompt(golden);
        var rotary = new RotaryTable(decoder.Description.Rotary);
        rotary.Set(prompt.PositionIds);
        var workspace = new DecoderWorkspace(config);
        var hidden = prompt.InputEmbeddings;

        for (var layer = 0; layer < config.Layers; layer++)
        {
            decoder.Blocks[layer].Forward(hidden, prompt.Modalities, rotary, workspace);
            GoldenAssert.Near(golden, $"layer.{layer}.output", hidden);
        }

        var logits = new Matrix(hidden.Rows, config.VocabularySize);
        decoder.Logits(hidden, workspace, logits);
        GoldenAssert.Near(golden, "logits", logits);
    }

    public void Dispose() => _file.Dispose();
}
