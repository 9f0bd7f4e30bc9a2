using MASQuant.Diagnostics;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tests.Models;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Tests.Layers;

/// <summary>A block is what its description says: other steps, another computation; other names, other tensors.</summary>
public sealed class TransformerBlockTests : IDisposable
{
    private const int Tokens = 9;
    private readonly SafetensorsFile _source = TinyDecoder.OpenVL();
    private readonly DecoderDescription _decoder = Qwen25Decoder.Describe(TinyConfigs.VL.Text);

    public void Dispose() => _source.Dispose();

    [Theory]
    [InlineData(1)] // no row is shared out to threads
    [InlineData(40)]
    public void Steps_run_in_the_order_of_the_description(int tokens)
    {
        var (attention, feedForward) = Halves(_decoder.Blocks[0]);
        BlockStep[] swapped = [.. feedForward, .. attention];
        var expected = Run(attention, Run(feedForward, Input(tokens)));
        Assert.Equal(expected.Span.ToArray(), Run(swapped, Input(tokens)).Span.ToArray());
        Assert.NotEqual(expected.Span.ToArray(), Run(_decoder.Blocks[0].Steps, Input(tokens)).Span.ToArray());
    }

    [Fact]
    public void A_step_that_is_left_out_is_not_computed()
    {
        var steps = _decoder.Blocks[0].Steps;
        BlockStep[] unrotated = [.. steps.Where(step => step is not RotateStep)];
        Assert.Equal(Run(steps, Input(Tokens), position: _ => 0).Span.ToArray(), Run(unrotated, Input(Tokens)).Span.ToArray()); // Position 0 rotates by nothing.
        Assert.NotEqual(Run(steps, Input(Tokens)).Span.ToArray(), Run(unrotated, Input(Tokens)).Span.ToArray());
    }

    [Fact]
    public void Tensors_are_read_by_the_names_of_the_description()
    {
        BlockStep[] renamed = [.. _decoder.Blocks[0].Steps.Select(step => step is NormalizeStep { Norm.Name: "input_layernorm" } norm ? norm with { Norm = norm.Norm with { Name = "ln_1" } } : step)];
        AssertMissing("block.7.ln_1.weight", () => TransformerBlock.Read(_source, new BlockDescription("block.7.", renamed)));
        AssertMissing("block.7.input_layernorm.weight", () => BlockWeights.Of(_source, Described("block.7."), 0).ReadNorms());
    }

    [Fact]
    public void An_unknown_step_is_refused_by_its_name()
    {
        var exception = Assert.Throws<NotSupportedException>(() => TransformerBlock.Read(_source, new BlockDescription(_decoder.Blocks[0].Prefix, [.. _decoder.Blocks[0].Steps, new ConvolveStep()])));
        Assert.Contains("'Convolve'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Values_that_a_step_does_not_take_wait()
    {
        var values = new StepValues();
        values.New(1, 4).Span.Fill(1);
        values.Advance(taken: 0);
        values.New(1, 4).Span.Fill(2);
        values.New(1, 8).Span.Fill(3);
        values.Advance(taken: 0);
        values.New(1, 4).Span.Fill(4); // In place of 2, whose buffer is not free before.
        values.Advance(taken: 1);
        Assert.Equal([4, 3, 1], values.Current.ToArray().Select(value => value[0, 0]));
        values.New(1, 4).Span.Fill(5);
        values.Advance(taken: 2);
        Assert.Equal([5, 1], values.Current.ToArray().Select(value => value[0, 0]));
    }

    private static (BlockStep[] Attention, BlockStep[] FeedForward) Halves(BlockDescription block)
    {
        var cut = block.Steps.Index().First(step => step.Item is AddStep).Index + 1;
        return ([.. block.Steps.Take(cut)], [.. block.Steps.Skip(cut)]);
    }

    private static Matrix Input(int tokens)
    {
        var (random, hidden) = (new Random(tokens), TinyConfigs.VL.Text.HiddenSize);
        return new Matrix(tokens, hidden, [.. Enumerable.Range(0, tokens * hidden).Select(_ => random.NextSingle() - 0.5f)]);
    }

    private static void AssertMissing(string tensor, Action read)
    {
        var exception = Assert.Throws<MASQuantException>(read);
        Assert.Equal(DiagnosticCodes.TensorMissing, exception.Code);
        Assert.Contains($"'{tensor}'", exception.Message, StringComparison.Ordinal);
    }

    private DecoderDescription Described(string prefix) => new()
    {
        Config = _decoder.Config,
        Embedding = _decoder.Embedding,
        Blocks = [new BlockDescription(prefix, [.. _decoder.Blocks[0].Steps.Where(step => step is not ProjectStep)])],
        FinalNorm = _decoder.FinalNorm,
        Head = _decoder.Head,
        Rotary = _decoder.Rotary,
    };

    private Matrix Run(IReadOnlyList<BlockStep> steps, Matrix hidden, Func<int, int>? position = null)
    {
        var rotary = new RotaryTable(_decoder.Rotary);
        rotary.Set([.. Enumerable.Range(0, hidden.Rows).Select(position ?? (t => t))]);
        TransformerBlock.Read(_source, new BlockDescription(_decoder.Blocks[0].Prefix, steps)).Forward(hidden, ModalityMap.Text(hidden.Rows), rotary, new DecoderWorkspace(_decoder.Config));
        return hidden;
    }

    private sealed record ConvolveStep : BlockStep;
}
