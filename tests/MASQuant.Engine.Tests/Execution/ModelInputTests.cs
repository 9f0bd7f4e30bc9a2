using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tests.Gemm;
using MASQuant.Engine.Tests.Models;
using MASQuant.Formats.Models;
using MASQuant.Runtime;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Execution;

/// <summary>What an application sees of a prompt's evaluation: embeddings, hidden states, logits.</summary>
public sealed class ModelInputTests(OmniFixture omni) : IClassFixture<OmniFixture>, IDisposable
{
    private static readonly GenerationOptions Short = new() { MaxTokens = 6 };
    private readonly MultimodalModel _model = MultimodalModel.Load(RepositoryFiles.OmniTiny);

    public static TheoryData<string> Cases => Golden.Omni;

    private int Layers => omni.Model.Config.Text.Layers;

    public void Dispose() => _model.Dispose();

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_state_and_the_logits_match_the_reference(string name)
    {
        var golden = Golden.Load(name);
        var input = _model.Prepare(GoldenPrompt.Of(golden));
        Assert.Equal(golden.Integers("input_ids"), input.TokenIds.ToArray());
        Assert.Equal(input.TokenIds.Length, input.Modalities.Count);

        var states = _model.HiddenStates(input, [.. Enumerable.Range(0, Layers)]);
        GoldenAssert.Near(golden, "inputs_embeds", states[0]);
        for (var block = 1; block < Layers; block++)
        {
            GoldenAssert.Near(golden, $"layer.{block - 1}.output", states[block]);
        }

        GoldenAssert.Near(golden, "logits", _model.Logits(input, ..));
    }

    // The last state is normed: the head's product with it are the logits, bit for bit. Embeddings and states before are untouched by it.
    [Fact]
    public void The_head_reads_the_last_state()
    {
        var input = Image();
        var states = _model.HiddenStates(input, [^0, 0, ^0]);
        var logits = new Matrix(input.TokenIds.Length, omni.Model.Config.Text.VocabularySize);
        omni.Model.Decoder.Head.Forward(states[0], ModalityMap.Text(states[0].Rows), [logits]);
        Bits.AssertSame(_model.Logits(input, ..).Data, logits.Data);
        Bits.AssertSame(states[0].Data, states[2].Data);
        Bits.AssertSame(input.Embeddings.Span.ToArray(), states[1].Data);
        Assert.NotSame(input.Embeddings, states[1]);
    }

    [Fact]
    public void States_are_the_same_whatever_is_evaluated_at_once()
    {
        using var parts = MultimodalModel.Load(RepositoryFiles.OmniTiny, new ModelOptions { PrefillTokens = 7 });
        Index[] all = [0, 1, 2, ^1, ^0];
        var prompt = GoldenPrompt.Of(Golden.Load("omni/image-audio"));
        var expected = _model.HiddenStates(_model.Prepare(prompt), all);
        var actual = parts.HiddenStates(parts.Prepare(prompt), all);
        Assert.All(expected.Zip(actual), pair => Bits.AssertSame(pair.First.Data, pair.Second.Data));
    }

    /// <summary>Rows that a vision tower leaves for the first blocks are in the states behind these.</summary>
    [SkippableFact]
    public void Rows_for_the_first_blocks_are_in_the_states()
    {
        using var model = MultimodalModel.Load(FamilyFixtures.Model(FamilyFixtures.Qwen3VL));
        using var parts = MultimodalModel.Load(FamilyFixtures.Model(FamilyFixtures.Qwen3VL), new ModelOptions { PrefillTokens = 5 });
        var golden = FamilyFixtures.Golden(FamilyFixtures.Qwen3VL, "image");
        var prompt = new Prompt().Image(golden.Files[0]).Text("What is it?");
        var input = model.Prepare(prompt);
        Index[] all = [0, 1, ^1, ^0];
        var states = model.HiddenStates(input, all);
        Assert.All(states.Zip(parts.HiddenStates(parts.Prepare(prompt), all)), pair => Bits.AssertSame(pair.First.Data, pair.Second.Data));

        // Without them the first block's output is another at the tokens of the picture.
        using var loaded = LoadedModel.Load(FamilyFixtures.Model(FamilyFixtures.Qwen3VL));
        var prepared = loaded.Prepare(prompt);
        Assert.True(prepared.Deepstack.Levels > 0);
        var expected = prepared.InputEmbeddings.Copy();
        var rotary = new RotaryTable(loaded.Decoder.Description.Rotary);
        rotary.Set(prepared.PositionIds);
        var adds = loaded.Decoder.Blocks[0].Description.Steps.Index().Where(step => step.Item is AddStep).Select(step => step.Index).ToArray();
        loaded.Decoder.Blocks[0].Forward(..(adds[1] + 1), expected, [], prepared.Modalities, rotary, new DecoderWorkspace(loaded.Config.Text));
        prepared.Deepstack.AddTo(expected, prepared.Modalities, 0);
        Bits.AssertSame(expected.Span.ToArray(), states[1].Data);
    }

    [Fact]
    public void The_last_tokens_logits_choose_the_answers_first_token()
    {
        var input = Image();
        var logits = _model.Logits(input);
        Assert.Equal(1, logits.Rows);
        Assert.Equal(_model.Logits(input, ..).Row(input.TokenIds.Length - 1).ToArray(), logits.Row(0).ToArray());
        Assert.Equal(Golden.Load("omni/image").Integers("greedy")[0], logits.Data.Index().MaxBy(pair => pair.Item).Index);
    }

    [Fact]
    public void An_input_is_answered_as_its_prompt()
        => Assert.Equal(_model.GeneratePieces(GoldenPrompt.Of(Golden.Load("omni/image")), Short), _model.GenerateFrom(Image(), Short));

    /// <summary>Another picture of the same size, put in place of the first as embeddings, is that picture.</summary>
    [Fact]
    public void Embeddings_in_place_of_a_prompts_own_are_what_is_read()
    {
        var (one, other) = (_model.Prepare(Picture("calib-ocr-000.png")), _model.Prepare(Picture("calib-ocr-003.png")));
        Assert.Equal(one.TokenIds.ToArray(), other.TokenIds.ToArray());
        var changed = one.WithEmbeddings(other.Embeddings.Copy());
        Bits.AssertSame(_model.Logits(other).Data, _model.Logits(changed).Data);
        Assert.NotEqual(_model.Logits(one).Data, _model.Logits(changed).Data);
        Assert.Equal(_model.GenerateFrom(other, Short), _model.GenerateFrom(changed, Short));

        static Prompt Picture(string file) => new Prompt().Image(RepositoryFiles.Data("media/" + file)).Text("Read the digits.");
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        var input = Image();
        var (rows, columns) = (input.Embeddings.Rows, input.Embeddings.Columns);
        Assert.All<(int, int)>([(rows + 1, columns), (rows, columns - 1)], shape => Assert.Throws<ArgumentException>("embeddings", () => input.WithEmbeddings(new Matrix(shape.Item1, shape.Item2))));
        Assert.All<Index>([Layers + 1, ^(Layers + 1)], block => Assert.Throws<ArgumentOutOfRangeException>("after", () => _model.HiddenStates(input, [block])));
        Assert.Throws<ArgumentOutOfRangeException>(() => _model.Logits(input, ..(rows + 1)));
        var many = omni.Model.Prepare(new Prompt().Text("Hello")) with { InputIds = new int[(int.MaxValue / omni.Model.Config.Text.VocabularySize) + 1] };
        Assert.Contains("fewer tokens", Assert.Throws<ArgumentException>("rows", () => omni.Model.Logits(many)).Message, StringComparison.Ordinal);

        using var other = MultimodalModel.Load(RepositoryFiles.OmniTiny);
        Assert.Throws<ArgumentException>("input", () => other.Logits(input));
        Assert.Throws<ArgumentException>("input", () => other.HiddenStates(input, [0]));
        Assert.Throws<ArgumentException>("input", () => other.GenerateFrom(input));
    }

    [Fact]
    public void A_disposed_or_cancelled_model_evaluates_nothing()
    {
        var input = Image();
        using var cancellation = new CancellationTokenSource();
        cancellation.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => _model.HiddenStates(input, [0], cancellation.Token));
        Assert.ThrowsAny<OperationCanceledException>(() => _model.Logits(input, cancellationToken: cancellation.Token));
        _model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => _model.HiddenStates(input, [0]));
        Assert.Throws<ObjectDisposedException>(() => _model.Logits(input));
        Assert.Throws<ObjectDisposedException>(() => _model.GenerateFrom(input));
        Assert.Throws<ObjectDisposedException>(() => _model.Prepare(new Prompt().Text("Hello")));
    }

    [Fact]
    public void A_device_does_not_give_its_states_away()
    {
        using var model = LoadedModel.Load(RepositoryFiles.VlTiny, new ModelOptions(), content => new NamedExecution(new CpuExecution(content), "other:0"));
        var error = Assert.Throws<MASQuantException>(() => model.HiddenStates(model.Prepare(new Prompt().Text("Hello")), [0]));
        Assert.Equal(DiagnosticCodes.HiddenStatesOnDevice, error.Code);
        Assert.Contains("'other:0'", error.Message, StringComparison.Ordinal);
    }

    private ModelInput Image() => _model.Prepare(GoldenPrompt.Of(Golden.Load("omni/image")));
}
