using MASQuant.Engine.Models;
using MASQuant.Evaluation.Reports;
using MASQuant.Formats.Checkpoints;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Planning;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests.Layouts;

/// <summary>Published models in their real sizes, their weights sparse: nothing that reads headers and configuration minds a tensor above 2 GiB.</summary>
public sealed class FullSizeTests : IDisposable
{
    // As the hub's pages of these models say; of Omni the thinker. Omni-3B's head is its own, so its thinker is 3B's with a second embedding and an audio tower.
    private static readonly Dictionary<string, long> Parameters = new()
    {
        ["Qwen2.5-VL-3B-Instruct"] = 3_754_622_976,
        ["Qwen2.5-VL-7B-Instruct"] = 8_292_166_656,
        ["Qwen2.5-VL-32B-Instruct"] = 33_452_718_336,
        ["Qwen2.5-VL-72B-Instruct"] = 73_410_777_344,
        ["Qwen2.5-VL-7B-F32"] = 8_292_166_656,
        ["Qwen2.5-Omni-7B"] = 8_931_813_888,
    };

    private readonly TemporaryDirectory _folder = new();

    public static TheoryData<string> Names => [.. FullSize.All.Select(model => model.Name)];

    public void Dispose() => _folder.Dispose();

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void A_published_model_is_inspected_and_planned(string name)
    {
        Skip.If(OperatingSystem.IsWindows(), "The files would not be sparse.");
        var model = FullSize.All.Single(model => model.Name == name);
        model.Write(_folder.Path);
        using (var checkpoint = Checkpoint.Open(_folder.Path))
        {
            if (Parameters.TryGetValue(name, out var published))
            {
                Assert.Equal(published, checkpoint.Tensors.Sum(tensor => tensor.Count));
            }

            Assert.Equal(model.Tensors().Count(), checkpoint.Tensors.Count);
            CheckpointCheck.Require(checkpoint, ModelConfigReader.Read(checkpoint), new QuantizationOptions());
        }

        AssertInspectedAndPlanned(model.Layers, model.Hidden);
    }

    // Weights of zeros: all logits are equal, and the first token is the first of the vocabulary. Takes 7.4 GB: two bytes a weight, packed.
    [SkippableFact]
    [Trait("Lane", "slow")]
    public void A_published_model_gives_its_first_token()
    {
        Skip.If(OperatingSystem.IsWindows(), "The files would not be sparse.");
        FullSize.All[0].Write(_folder.Path);
        var run = CommandRun.Of("run", _folder.Path, "What is it?", "--max-tokens", "1");
        Assert.True(run.ExitCode == 0, run.Error);
        using var checkpoint = Checkpoint.Open(_folder.Path);
        Assert.Equal(PromptEncoder.ReadTokenizer(checkpoint, ModelConfigReader.Read(checkpoint)).Decode([0]) + "\n", run.Output);
        Assert.Contains("; 1 generated, the first after ", run.Error, StringComparison.Ordinal);
    }

    public static TheoryData<string> FurtherNames => [.. FurtherFullSize.All.Select(model => model.Name)];

    [SkippableTheory]
    [MemberData(nameof(FurtherNames))]
    public void A_published_model_of_a_further_family_is_inspected_and_planned(string name)
    {
        Skip.If(OperatingSystem.IsWindows(), "The files would not be sparse.");
        var model = FurtherFullSize.All.Single(model => model.Name == name);
        model.Write(_folder.Path);
        using (var checkpoint = Checkpoint.Open(_folder.Path))
        {
            Assert.Equal(model.Parameters, checkpoint.Tensors.Sum(tensor => tensor.Count));
            Assert.Equal(model.Tensors().Count(), checkpoint.Tensors.Count);
            CheckpointCheck.Require(checkpoint, ModelConfigReader.Read(checkpoint), new QuantizationOptions());
        }

        AssertInspectedAndPlanned(model.Layers, model.Hidden);
    }

    public static TheoryData<string> StateNames => [.. StateFullSize.All.Select(model => model.Name)];

    [SkippableTheory]
    [MemberData(nameof(StateNames))]
    public void A_published_model_with_states_is_inspected_and_planned(string name)
    {
        Skip.If(OperatingSystem.IsWindows(), "The files would not be sparse.");
        var model = StateFullSize.All.Single(model => model.Name == name);
        model.Write(_folder.Path);
        using (var checkpoint = Checkpoint.Open(_folder.Path))
        {
            Assert.Equal(model.Tensors().Count(), checkpoint.Tensors.Count);
            CheckpointCheck.Require(checkpoint, ModelConfigReader.Read(checkpoint), new QuantizationOptions { GuessHead = GuessHeadKind.W8 });
        }

        // Of each layer with a state six are quantized, of each that attends seven.
        var plan = AssertInspectedAndPlanned(model.Layers, model.Hidden, (model.Layers / 4 * 3 * 6) + (model.Layers / 4 * 7));
        Assert.Contains($"A sequence takes {Figures.Bytes(model.TokenBytes)} a token when it runs on the processor ({Figures.Bytes(model.TokenBytes / 2)} in BF16: ModelOptions.KeyValues), and {Figures.Bytes(model.StateBytes)} at every length.", plan, StringComparison.Ordinal);
    }

    [SkippableTheory]
    [InlineData("Qwen3.5-0.8B")]
    [InlineData("Qwen3.5-2B")]
    [Trait("Lane", "slow")]
    public void A_published_model_with_states_gives_its_first_token(string name)
    {
        Skip.If(OperatingSystem.IsWindows(), "The files would not be sparse.");
        StateFullSize.All.Single(model => model.Name == name).Write(_folder.Path);
        var run = CommandRun.Of("run", _folder.Path, "What is it?", "--max-tokens", "1");
        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains("; 1 generated, the first after ", run.Error, StringComparison.Ordinal);
    }

    private string AssertInspectedAndPlanned(int layers, int hidden, int? linears = null)
    {
        var inspect = CommandRun.Of("inspect", _folder.Path);
        Assert.True(inspect.ExitCode == 0, inspect.Error);
        Assert.Contains($"Would be quantized: ", inspect.Output, StringComparison.Ordinal);
        Assert.Contains($" in {linears ?? layers * 7} layers.", inspect.Output, StringComparison.Ordinal);

        // The plan is told whole; this machine may be too small for what it says.
        var plan = CommandRun.Of("plan", _folder.Path, "--output", _folder.Path);
        Assert.True(plan.ExitCode == 0 || plan.Error.Contains("error MASQ0955", StringComparison.Ordinal) || plan.Error.Contains("error MASQ0956", StringComparison.Ordinal), plan.Error);
        Assert.Contains($"{layers} decoder layers of width {hidden}", plan.Output, StringComparison.Ordinal);
        Assert.Contains("right within a factor of 1.5", plan.Output, StringComparison.Ordinal);
        Assert.Matches(@"Sooner: --effort Fast takes about [^;]+; --samples 64 about [^;]+; 4 machines, each with --blocks I/4, about [^;]+; a GPU takes --compute Torch:cuda\.", plan.Output);
        return plan.Output;
    }
}
