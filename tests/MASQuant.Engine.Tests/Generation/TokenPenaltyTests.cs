using MASQuant.Engine.Execution;
using MASQuant.Engine.Generation;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Generation;

public class TokenPenaltyTests
{
    public static TheoryData<double, double, double> Penalties => new() { { 1.3, 0, 0 }, { 0.7, 0, 0 }, { 1, 0.5, 0 }, { 1, 0, 0.25 }, { 1, -2, 2 }, { 1.05, 1.5, -0.75 }, { 1000, 2, 2 }, { 0.001, -2, -2 } };

    // A few logits of both signs, so that tokens come again and again.
    [Theory]
    [MemberData(nameof(Penalties))]
    public void Every_step_is_the_definitions(double repetition, double presence, double frequency)
    {
        var options = new GenerationOptions { RepetitionPenalty = repetition, PresencePenalty = presence, FrequencyPenalty = frequency };
        var sampler = new Sampler(options);
        int[] prompt = [3, 3, 3, 40, 7];
        sampler.Penalties!.Begin(prompt);
        var (answer, random) = (new List<int>(), new Random(3));
        for (var step = 0; step < 200; step++)
        {
            var logits = Enumerable.Range(0, 50).Select(_ => (float)(random.NextDouble() * 6) - 4).ToArray();
            var expected = logits.Select((logit, id) =>
            {
                var value = !prompt.Contains(id) && !answer.Contains(id) ? logit : logit > 0 ? logit / (float)repetition : logit * (float)repetition;
                var count = answer.Count(token => token == id);
                return count == 0 ? value : value - ((float)frequency * count) - (float)presence;
            }).ToArray();
            answer.Add(sampler.Next(logits));
            Assert.Equal(Array.IndexOf(expected, expected.Max()), answer[^1]);
        }
    }

    [Fact]
    public void Defaults_change_nothing() => Assert.Null(new Sampler(new GenerationOptions { Temperature = 1, TopP = 0.5, TopK = 3, MinP = 0.1 }).Penalties);

    [Fact]
    public void What_is_no_number_or_infinite_stays_so()
    {
        var sampler = new Sampler(new GenerationOptions { RepetitionPenalty = 2, FrequencyPenalty = 2 });
        sampler.Penalties!.Begin([0, 1]);
        Assert.Equal([float.NaN, float.NegativeInfinity, 1], sampler.Penalties.Apply([float.NaN, float.NegativeInfinity, 1]).ToArray());
    }

    // The prompt counts, and so does every token of the answer: an answer is that of the definition, step by step. Logits of a longer prompt are, bit for bit, those of its steps.
    [Theory]
    [InlineData(1.0, 0)]
    [InlineData(1.3, 0)]
    [InlineData(1.3, 3)]
    public void An_answer_is_penalized_for_prompt_and_answer(double repetition, int slots)
    {
        using var model = LoadedModel.Load(RepositoryFiles.OmniTiny, new ModelOptions { Device = "cpu" });
        var prompt = model.Prepare(new Prompt().Text("Say one, then say one again: one one one."));
        var options = new GenerationOptions { MaxTokens = 12, StopTokens = [], RepetitionPenalty = repetition, FrequencyPenalty = 0.5 };
        using var session = new PlainSession(model, prompt);
        var expected = new List<int>();
        while (expected.Count < options.MaxTokens)
        {
            var logits = session.Logits(expected).ToArray();
            foreach (var id in prompt.InputIds.Concat(expected).Distinct())
            {
                logits[id] = logits[id] > 0 ? logits[id] / (float)repetition : logits[id] * (float)repetition;
            }

            foreach (var id in expected.Distinct())
            {
                logits[id] -= 0.5f * expected.Count(token => token == id);
            }

            expected.Add(Array.IndexOf(logits, logits.Max()));
        }

        var answers = model.GenerateTokens(Enumerable.Repeat(() => prompt, Math.Max(1, slots)), Math.Max(1, slots), options, default)
            .ToLookup(sequence => sequence.Prompt, sequence => sequence.Token);
        Assert.Equal(Math.Max(1, slots), answers.Count);
        Assert.All(answers, answer => Assert.Equal(expected, answer));
    }

    private sealed class PlainSession(LoadedModel model, Engine.Models.PreparedPrompt prompt) : IDisposable
    {
        private readonly DecoderSession _session = new(model.Decoder);

        public ReadOnlySpan<float> Logits(List<int> answer) => answer.Count == 0 ? _session.Prefill(prompt) : _session.Step(answer[^1]);

        public void Dispose() => ((IDisposable)_session).Dispose();
    }
}
