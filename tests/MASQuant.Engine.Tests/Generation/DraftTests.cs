using MASQuant.Engine.Constraints;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tests.Models;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Generation;

/// <summary>Tokens that are guessed ahead change no answer: each is the one that its logits choose, and logits of several tokens at once are those of one after the other.</summary>
public sealed class DraftTests(OmniFixture omni) : IClassFixture<OmniFixture>
{
    private static readonly AnswerFormat Flags = AnswerFormat.JsonSchema("""{"type": "array", "items": {"type": "boolean"}, "minItems": 12, "maxItems": 12}""");

    // Greedy, drawn, with penalties, held to a schema, ended by a text within a guess: each beside the same without guesses.
    public static TheoryData<GenerationOptions> Ways => new()
    {
        new GenerationOptions { StopTokens = [] },
        new GenerationOptions { StopTokens = [], Temperature = 0.8, Seed = 4 },
        new GenerationOptions { StopTokens = [], RepetitionPenalty = 1.2, FrequencyPenalty = 0.3 },
        new GenerationOptions { Format = Flags },
        new GenerationOptions { Format = Flags, Temperature = 1.5, TopK = 40, Seed = 9 },
        new GenerationOptions { Format = Flags, StopStrings = ["e,true,f", "e,false,t"] },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public void An_answer_is_the_one_without_guesses(GenerationOptions options)
    {
        foreach (var prompt in new[] { new Prompt().Text("Quote a verse."), new Prompt().Image(RepositoryFiles.Data("media/eval-ocr-000.png")).Text("Read the digits. one two one two one two one two") })
        {
            foreach (var tokens in new[] { 40, 41, 42, 43 })
            {
                var plain = Answer(prompt, options with { MaxTokens = tokens, DraftTokens = 0 });
                foreach (var draft in new[] { 1, 5, 64 })
                {
                    var drafted = Answer(prompt, options with { MaxTokens = tokens, DraftTokens = draft });
                    Assert.Equal(plain.Text, drafted.Text);
                    Assert.Equal((plain.End, plain.Usage), (drafted.End, drafted.Usage with { DraftedTokens = 0 }));
                }
            }
        }
    }

    [Fact]
    public void What_repeats_is_guessed_unless_it_is_drawn()
    {
        var prompt = new Prompt().Text("Quote a verse.");
        var options = new GenerationOptions { Format = Flags };

        Assert.InRange(Answer(prompt, options).Usage.DraftedTokens, 20, 60); // Commas and words of some sixty tokens.
        Assert.Equal(0, Answer(prompt, options with { DraftTokens = 0 }).Usage.DraftedTokens);
        Assert.Equal(0, Answer(prompt, options with { Temperature = 0.5 }).Usage.DraftedTokens);
    }

    // Four tokens at first, of an answer that random weights make repeat itself.
    [Fact]
    public void A_session_tells_what_has_come_true()
    {
        using var source = Checkpoint.Open(RepositoryFiles.OmniTiny);
        var decoder = SeveralSequencesTests.Read(source, "");
        var longest = 0;
        foreach (var sequence in TokenGenerator.Generate(new DecoderSession(decoder), 1, [() => TinyDecoder.Prompt(Golden.Load("omni/text"))], new GenerationOptions { MaxTokens = 120, DraftTokens = 64 }, [], null, default))
        {
            longest = Math.Max(longest, sequence.Lookup!.Guess(64).Length);
        }

        Assert.InRange(longest, 5, 64);
    }

    // Rows come and go while one has guesses ahead, and its positions end within a guess.
    [Theory]
    [InlineData("", 0)]
    [InlineData("W4A8", 0)]
    [InlineData("W8A8", 3)]
    [InlineData("W4A16", 6)]
    public void Among_others_and_at_the_last_position_too(string scheme, int missing)
    {
        using var source = Checkpoint.Open(RepositoryFiles.OmniTiny);
        var decoder = SeveralSequencesTests.Read(source, scheme);
        var prompts = new[] { "omni/text", "omni/image", "omni/text" }.Select(name => TinyDecoder.Prompt(Golden.Load(name))).ToArray();
        decoder = decoder with { Description = Qwen25Decoder.Describe(decoder.Config with { MaxPositions = prompts.Max(prompt => prompt.InputIds.Length) + 60 - missing }) };
        var drafted = 0;
        foreach (var most in new[] { 1, 2 })
        {
            Assert.Equal(Tokens(most, 0), Tokens(most, 8));
        }

        Assert.InRange(drafted, 1, int.MaxValue); // Random weights repeat themselves.

        List<int>[] Tokens(int most, int draft)
        {
            var answers = prompts.Select(_ => new List<int>()).ToArray();
            var options = new GenerationOptions { MaxTokens = 90, DraftTokens = draft };
            foreach (var sequence in TokenGenerator.Generate(new DecoderSession(decoder), most, prompts.Select(prompt => (Func<PreparedPrompt>)(() => prompt)), options, [], null, default))
            {
                answers[sequence.Prompt].Add(sequence.Token);
                drafted += sequence.HasEnded ? sequence.Usage.DraftedTokens : 0;
            }

            return answers;
        }
    }

    // A prompt is evaluated in parts between the steps of one that has guesses ahead, given up, and begun again until it is a row.
    [Theory]
    [InlineData(150)]
    [InlineData(151)]
    [InlineData(152)]
    [InlineData(153)]
    public void While_a_prompt_is_evaluated_too(int steps)
    {
        using var source = Checkpoint.Open(RepositoryFiles.OmniTiny);
        var decoder = SeveralSequencesTests.Read(source, "");
        var grammar = new AnswerFormats(omni.Model.Tokenizer).Of(AnswerFormat.JsonSchema("""{"type": "array", "items": {"type": "boolean"}, "minItems": 150}"""));
        var (plain, drafted) = (Tokens(0, out _), Tokens(8, out var right));
        Assert.InRange(right, 60, int.MaxValue);
        Assert.Equal(plain, drafted);

        List<int> Tokens(int draft, out int right)
        {
            using IDecoderSession session = new DecoderSession(decoder);
            var sequences = new[] { "omni/text", "omni/image" }.Select((_, i) => new Sequence(i, new GenerationOptions { MaxTokens = 400, DraftTokens = draft }, [], grammar)).ToList();
            var (answer, other) = (new List<int>(), TinyDecoder.Prompt(Golden.Load("omni/image")));
            session.Begin(TinyDecoder.Prompt(Golden.Load("omni/text")));
            Assert.True(session.Advance(sequences[0], int.MaxValue, default));
            for (var step = 0; step < steps; step++)
            {
                if (step % 16 == 9)
                {
                    session.Begin(other);
                }

                if (step % 16 is >= 9 and < 12)
                {
                    Assert.False(session.Advance(sequences[1], 3, default));
                }

                session.Step([sequences[0]], default);
                answer.Add(sequences[0].Token);
            }

            right = sequences[0].Usage.DraftedTokens;
            session.Begin(other);
            Assert.True(session.Advance(sequences[1], int.MaxValue, default));
            for (var step = 0; step < 20; step++)
            {
                session.Step(sequences, default);
                answer.AddRange(sequences.Select(sequence => sequence.Token));
            }

            return answer;
        }
    }

    private (string Text, EndReason? End, AnswerUsage Usage) Answer(Prompt prompt, GenerationOptions options)
    {
        var pieces = omni.Model.GeneratePieces(prompt, options).ToArray();
        return (string.Concat(pieces.Select(piece => piece.Text)), pieces[^1].End, pieces[^1].Usage!.Value);
    }
}
