using MASQuant.Configuration;
using MASQuant.Gemm;
using MASQuant.Layers;
using MASQuant.Models;
using MASQuant.Safetensors;
using MASQuant.Tensors;

namespace MASQuant.Tests.Models;

/// <summary>The decoder against the reference, from the reference's own embeddings.</summary>
public sealed class DecoderGoldenTests : IDisposable
{
    private readonly SafetensorsFile _file = SafetensorsFile.Open(Path.Combine(RepositoryFiles.VlTiny, "model.safetensors"));

    public static TheoryData<string> Cases => Golden.VL;

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_layer_and_the_logits_match_the_reference(string name)
    {
        var golden = Golden.Load(name);
        var config = TinyConfigs.Of(golden);
        var decoder = Decoder.Read(_file, config.Text, layer => Block(config.Text, layer));
        var ids = golden.Integers("input_ids");
        var rotary = new RotaryTable(config.Text);
        rotary.Set(PositionIds.Of(ids, GoldenMedia.Extents(golden, config), config));
        var modalities = PlaceholderTokens.Map(ids, config);
        var workspace = new DecoderWorkspace(config.Text);
        var hidden = new Matrix(ids.Length, config.Text.HiddenSize, golden.Floats("inputs_embeds"));

        for (var layer = 0; layer < config.Text.Layers; layer++)
        {
            decoder.Blocks[layer].Forward(hidden, modalities, rotary, workspace);
            GoldenAssert.Near(golden, $"layer.{layer}.output", hidden);
        }

        var logits = new Matrix(ids.Length, config.Text.VocabularySize);
        decoder.Logits(hidden, workspace, logits);
        GoldenAssert.Near(golden, "logits", logits);
    }

    public void Dispose() => _file.Dispose();

    private DecoderBlock Block(TextConfig config, int layer)
    {
        var weights = BlockWeights.Of(_file, config, layer);
        return new DecoderBlock(config, weights.Norms, Group(weights, InputGroup.Qkv), Group(weights, InputGroup.O), Group(weights, InputGroup.GateUp), Group(weights, InputGroup.Down));
    }

    private static Plain Group(BlockWeights weights, InputGroup group) => new(weights.Group(group));

    private sealed class Plain(IReadOnlyList<LinearWeight> weights) : ILinearGroup
    {
        private readonly DenseWeight[] _dense = [.. weights.Select(w => w.ReadDense())];

        public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
        {
            for (var i = 0; i < _dense.Length; i++)
            {
                FloatGemm.Multiply(x, _dense[i], weights[i].Bias, outputs[i]);
            }
        }
    }
}
