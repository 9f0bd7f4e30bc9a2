using MASQuant.Engine.Execution;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Tests.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Execution;

/// <summary>Keys and values in BF16 are an option of the model: half the memory, other bits than FP32's, and one answer however it is evaluated.</summary>
public sealed class KeyValueFormatTests
{
    private static readonly Prompt Question = new Prompt().Image(RepositoryFiles.Data("media/eval-ocr-000.png")).Text("Read the digits. one two one two one two");

    [Fact]
    public void Neither_parts_of_prompts_nor_guesses_nor_readings_of_states_change_a_bit()
    {
        using var model = Load(512, KeyValueFormat.BFloat16);
        using var parts = Load(7, KeyValueFormat.BFloat16);
        var prompt = model.Prepare(Question);
        var logits = model.Logits(prompt).Span.ToArray();
        Assert.Equal(logits, parts.Logits(prompt).Span.ToArray());

        var options = new GenerationOptions { MaxTokens = 30, StopTokens = [] };
        var tokens = model.GenerateTokens(prompt, options with { DraftTokens = 0 }).ToArray();
        Assert.Equal(tokens, model.GenerateTokens(prompt, options with { DraftTokens = 8 }));
        Assert.Equal(tokens, parts.GenerateTokens(prompt, options));

        var states = model.HiddenStates(prompt, [^1])[0];
        using var exact = Load(512, KeyValueFormat.Float32);
        Assert.Equal(states.Span.ToArray(), parts.HiddenStates(prompt, [^1])[0].Span.ToArray());
        Assert.NotEqual(states.Span.ToArray(), exact.HiddenStates(prompt, [^1])[0].Span.ToArray());
        Assert.NotEqual(logits, exact.Logits(prompt).Span.ToArray());
    }

    [Fact]
    public void It_takes_half_the_memory()
    {
        var config = TinyConfigs.VL.Text;
        Assert.Equal(Bytes(KeyValueFormat.Float32), 2 * Bytes(KeyValueFormat.BFloat16));

        long Bytes(KeyValueFormat format)
        {
            using var file = TinyDecoder.OpenVL();
            var decoder = TinyDecoder.Read(file, config);
            using IDecoderSession session = new DecoderSession(decoder, keyValues: format);
            session.Begin(TinyDecoder.Prompt(Golden.Load("vl/video")));
            session.Advance(new Sequence(0, new GenerationOptions(), []), int.MaxValue, default);
            return session.Keep(0)!.Bytes;
        }
    }

    [Fact]
    public void A_value_without_a_name_is_refused() => Assert.Throws<ArgumentOutOfRangeException>("options", () => Load(512, (KeyValueFormat)2));

    private static LoadedModel Load(int prefillTokens, KeyValueFormat format)
        => LoadedModel.Load(RepositoryFiles.OmniTiny, new ModelOptions { PrefillTokens = prefillTokens, KeyValues = format });
}
