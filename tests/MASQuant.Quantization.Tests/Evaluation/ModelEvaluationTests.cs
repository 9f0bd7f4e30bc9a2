using MASQuant.Engine.Execution;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Layers;
using MASQuant.Evaluation.Scores;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Numerics;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Tests.Pipeline;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Evaluation;

public sealed class ModelEvaluationTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly LoadedModel _model = LoadedModel.Load(RepositoryFiles.VlTiny);
    private readonly IReadOnlyList<Conversation> _conversations;

    public ModelEvaluationTests() => _conversations = ConversationFile.Read(TinyRun.Calibration(_folder.Path, images: 2));

    [Fact]
    public void The_reference_against_itself_is_exact_at_every_token()
    {
        var result = new ModelEvaluation(_model, [_model], maxTokens: 4).Run(_conversations, ["reference", "again"], null, default)[1];
        var task = Assert.Single(result.Tasks);
        Assert.Equal((3, 0.0, 1.0), (task.Samples, task.KullbackLeibler.Value, task.Agreement.Value));
        Assert.All([task.Perplexity, task.WordErrorRate, task.ExactRate], figure => Assert.Equal(new Estimate(0, 0, 0), figure.Difference));
        Assert.Equal([Modality.Text, Modality.Vision], result.Modalities.Select(modality => modality.Modality));
        Assert.Equal([3, 2], result.Modalities.Select(modality => modality.Samples));

        // Nothing follows the last token.
        Assert.Equal(_conversations.Sum(conversation => _model.Prepare(conversation.Messages).InputIds.Length - 1), result.Modalities.Sum(modality => modality.Tokens));
        Assert.All(result.Modalities, modality => Assert.All(modality.BlockSqnr, sqnr => Assert.Equal(Sqnr.Ceiling, sqnr)));
    }

    [Fact]
    public void Changed_answers_are_those_that_differ()
    {
        Assert.Empty(new ModelEvaluation(_model, [_model], maxTokens: 4).Run(_conversations, ["reference", "again"], null, default)[1].Changed);
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path, TinyRun.Options with { Smoothing = SmoothingKind.None, Scheme = QuantizationScheme.W4A6, WeightQuantizer = WeightQuantizerKind.Rtn, Compensation = CompensationKind.None });
        QuantizationPipeline.Run(job);
        using var rounded = LoadedModel.Load(TinyRun.ArtifactPath(job));
        var result = new ModelEvaluation(_model, [rounded], maxTokens: 4).Run(_conversations, ["reference", "rounded"], null, default)[1];
        string Answer(LoadedModel model, Conversation conversation) => model.Tokenizer.Decode(model.GenerateTokens(model.Prepare([.. conversation.Messages.SkipLast(1)]), new GenerationOptions { MaxTokens = 4 }), skipSpecial: true);
        var expected = _conversations.Select(conversation => (conversation, Reference: Answer(_model, conversation), Own: Answer(rounded, conversation))).Where(entry => entry.Own != entry.Reference);
        Assert.NotEmpty(result.Changed);
        Assert.Equal(expected, result.Changed.Select(changed => (changed.Conversation, changed.Reference, changed.Own)));
        Assert.Equal("8 1 6", result.Changed[0].Expected);
    }

    [Fact]
    public void Block_by_block_gives_the_logits_of_a_whole_pass()
    {
        var damaged = _model.Decoder with { Blocks = [.. _model.Decoder.Blocks.Select(block => block.With(InputGroup.Down, new Louder(block[InputGroup.Down], Modality.Text)))] };
        var prompt = _model.Prepare(_conversations[0].Messages);
        var deviation = new SideBySide([_model.Decoder, damaged]).Run(prompt, default)[1];

        var expected = new DecoderSession(_model.Decoder).Logits(prompt, Range.All);
        var actual = new DecoderSession(damaged).Logits(prompt, Range.All);
        var (start, length) = prompt.AnswerRange.GetOffsetAndLength(prompt.InputIds.Length);
        var answer = new TokenDivergence();
        var vision = new TokenDivergence();
        for (var t = 1; t < prompt.InputIds.Length; t++)
        {
            if (t >= start && t < start + length)
            {
                answer.Add(expected.Row(t - 1), actual.Row(t - 1), prompt.InputIds[t]);
            }

            if (prompt.Modalities[t - 1] == Modality.Vision)
            {
                vision.Add(expected.Row(t - 1), actual.Row(t - 1), prompt.InputIds[t]);
            }
        }

        Assert.True(answer.KullbackLeibler > 0);
        Assert.Equivalent(answer, deviation.Answer, strict: true);
        Assert.Equivalent(vision, deviation.ByModality[(int)Modality.Vision], strict: true);
    }

    [Fact]
    public void Noise_is_found_in_its_block_and_at_its_modality()
    {
        // From block 1 on, images' tokens are damaged after the attention, so text feels it from block 2 on.
        var blocks = _model.Decoder.Blocks.ToArray();
        blocks[1] = blocks[1].With(InputGroup.Down, new Louder(blocks[1][InputGroup.Down], Modality.Vision));
        var noise = new SideBySide([_model.Decoder, _model.Decoder with { Blocks = blocks }]).Run(_model.Prepare(_conversations[0].Messages), default)[1].Blocks;
        Assert.Equal([false, true, true], noise.Decibels(Modality.Vision).Select(IsNoisy));
        Assert.Equal([false, false, true], noise.Decibels(Modality.Text).Select(IsNoisy));
    }

    public void Dispose()
    {
        _model.Dispose();
        _folder.Dispose();
    }

    private static bool IsNoisy(double sqnr) => sqnr < Sqnr.Ceiling;

    // Doubles the outputs at the tokens of one modality.
    private sealed class Louder(ILinearGroup inner, Modality modality) : ILinearGroup
    {
        public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
        {
            inner.Forward(x, modalities, outputs);
            for (var t = 0; t < x.Rows; t++)
            {
                foreach (ref var value in modalities[t] == modality ? outputs[0].Row(t) : default)
                {
                    value *= 2;
                }
            }
        }
    }
}
