using MASQuant.Diagnostics;
using MASQuant.Engine.Chat;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tests.Layouts;
using MASQuant.Formats.Configuration;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>vl-tiny with YaRN, as Qwen2.5-VL's page says to do for long inputs, against the reference; images and ids are those of the goldens without it.</summary>
public sealed class YarnGoldenTests : IDisposable
{
    private readonly TinyCopy _folder = new TinyCopy(RepositoryFiles.VlTiny).Edit("config.json", json =>
    {
        json["max_position_embeddings"] = 131072;
        json["rope_scaling"] = System.Text.Json.Nodes.JsonNode.Parse("""{"factor":4,"mrope_section":[4,6,6],"original_max_position_embeddings":32768,"type":"yarn"}""");
    });

    private readonly LoadedModel _model;

    public YarnGoldenTests() => _model = LoadedModel.Load(_folder.Path);

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("vl-yarn/text")]
    [InlineData("vl-yarn/two-images")]
    public void Every_layer_logits_and_the_answer_match_the_reference(string name)
    {
        var golden = Golden.Load(name);
        var ids = GoldenMedia.Collapse(golden.Integers("input_ids"), _model.Config);
        var prompt = _model.Encoder.Prepare(new TokenizedPrompt(ids, [.. golden.Files.Select(file => new ImagePart(MediaSource.File(file)))], null));
        int[] positions = [.. prompt.PositionIds.Time, .. prompt.PositionIds.Height, .. prompt.PositionIds.Width];
        Assert.Equal(golden.Integers("position_ids"), positions);
        Assert.Equal(golden.Integers("greedy"), _model.GenerateTokens(prompt, new GenerationOptions { MaxTokens = golden.Integers("greedy").Length }));

        var rotary = new RotaryTable(_model.Decoder.Description.Rotary);
        rotary.Set(prompt.PositionIds);
        var (workspace, hidden) = (new DecoderWorkspace(_model.Config.Text), prompt.InputEmbeddings);
        for (var layer = 0; layer < _model.Config.Text.Layers; layer++)
        {
            _model.Decoder.Blocks[layer].Forward(hidden, prompt.Modalities, rotary, workspace);
            GoldenAssert.Near(golden, $"layer.{layer}.output", hidden);
        }

        var logits = new Matrix(hidden.Rows, _model.Config.Text.VocabularySize);
        _model.Decoder.Logits(hidden, workspace, logits);
        GoldenAssert.Near(golden, "logits", logits);
    }

    /// <summary>The paper's ends: what turns 32 times within the original positions stays, what does not turn once is divided by the factor, and between them shares fall.</summary>
    [Fact]
    public void Fast_frequencies_stay_and_slow_ones_are_divided()
    {
        const double Theta = 1e6;
        var yarn = new YarnScaling(4, 32768, 1, 32, 1);
        var shares = yarn.Frequencies(Theta, 128).Select((frequency, i) => (Turns: 32768 * Math.Pow(Theta, -2.0 * i / 128) / (2 * Math.PI), Share: Math.Round(frequency * Math.Pow(Theta, 2.0 * i / 128), 12))).ToArray();
        // Both ends are rounded to a whole pair, of which one turns 1.24 times as often as the next.
        Assert.All(shares.Where(pair => pair.Turns > 32 * 1.25), pair => Assert.Equal(1, pair.Share));
        Assert.All(shares.Where(pair => pair.Turns < 1 / 1.25), pair => Assert.Equal(0.25, pair.Share));
        Assert.Equal(shares.OrderByDescending(pair => pair.Share).Select(pair => pair.Turns), shares.Select(pair => pair.Turns));
        Assert.Contains(shares, pair => pair.Share is > 0.26 and < 0.99);
    }

    [Theory]
    [InlineData("""{"factor":4}""", 1.1386294361119891)] // 0.1 · ln 4 + 1
    [InlineData("""{"factor":1}""", 1)]
    [InlineData("""{"factor":4,"attention_factor":2}""", 2)]
    [InlineData("""{"factor":4,"mscale":2,"mscale_all_dim":1}""", 1.121751143713058)] // (0.2 · ln 4 + 1) / (0.1 · ln 4 + 1)
    public void The_attention_factor_follows_from_the_factor_unless_it_is_given(string json, double expected)
    {
        var yarn = ConfigSection.Read(System.Text.Encoding.UTF8.GetBytes(json), "config.json", rope => YarnScaling.Read(rope, 1000));
        Assert.Equal(expected, yarn.AttentionFactor, 9);
        Assert.Equal((1000, 32.0, 1.0), (yarn.OriginalPositions, yarn.BetaFast, yarn.BetaSlow));
    }

    [Theory]
    [InlineData("""{"factor":4,"truncate":false}""", "truncate")]
    [InlineData("""{"factor":0.5}""", "factor")]
    [InlineData("""{"factor":4,"original_max_position_embeddings":0}""", "original_max_position_embeddings")]
    public void What_cannot_be_scaled_is_refused(string json, string member)
    {
        var refusal = Assert.Throws<MASQuantException>(() => ConfigSection.Read(System.Text.Encoding.UTF8.GetBytes(json), "config.json", rope => YarnScaling.Read(rope, 1000)));
        Assert.Equal(DiagnosticCodes.ConfigOutOfRange, refusal.Code);
        Assert.Contains($"'{member}' is", refusal.Message, StringComparison.Ordinal);
    }
}
