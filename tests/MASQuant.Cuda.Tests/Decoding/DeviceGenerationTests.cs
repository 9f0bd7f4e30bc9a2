using MASQuant.Cuda.Device;
using MASQuant.Cuda.Driver;
using MASQuant.Cuda.Gemm;
using MASQuant.Cuda.Models;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Models;
using MASQuant.Ptx;
using MASQuant.Tests;

namespace MASQuant.Cuda.Tests.Decoding;

/// <summary>Batches of prompts on a device: each answer is the prompt's own, rows are used again, memory is given back.</summary>
[Trait("Lane", "slow")]
public sealed class DeviceGenerationTests
{
    private const int Slots = 3;

    // Media and text, more prompts than slots.
    private static Prompt[] Prompts =>
    [
        new Prompt().Text("Say one."),
        new Prompt().Image(Golden.Load("vl/two-images").Files[0]).Text("What?"),
        new Prompt().Text("Name every digit that you see, then say one."),
        new Prompt().Text("?"),
        new Prompt().Text("Say two."),
    ];

    [Theory]
    [InlineData(0.0)]
    [InlineData(40.0)]
    [InlineData(40.0, 1.5)]
    public void Batches_answer_as_each_prompt_alone(double temperature, double penalty = 1) => Check(new EmulatedDevice(), RepositoryFiles.VlTiny, temperature, tokens: 4, penalty);

    [CudaFact]
    [Trait("Lane", "gpu")]
    public void Batches_on_the_GPU_answer_as_each_prompt_alone()
    {
        using var device = CudaDevice.Open(0);
        Check(device, RepositoryFiles.OmniTiny, 0, tokens: 24);
        Check(device, RepositoryFiles.OmniTiny, 2, tokens: 24);
    }

    [Fact]
    public void Steps_of_several_allocate_nothing_and_leaving_gives_all_back()
    {
        var device = new CountingDevice(new EmulatedDevice());
        using var model = LoadedModel.Load(RepositoryFiles.VlTiny, new ModelOptions(), content => new CudaExecution(device, content));
        var weights = device.LentBytes;
        var prompt = model.Prepare(Prompts[0]);
        using (var tokens = Generate(model, Enumerable.Repeat(prompt, Slots), new GenerationOptions { MaxTokens = 5, StopTokens = [] }).GetEnumerator())
        {
            Advance(2 * Slots); // The first tokens, and those of the first step.
            var (allocations, recordings, launches, written, read) = (device.Allocations, device.Recordings, device.Launches, device.WrittenBytes, device.ReadBytes);
            Advance(2 * Slots);
            Assert.Equal((allocations, recordings, launches), (device.Allocations, device.Recordings, device.Launches)); // graphs alone
            Assert.Equal(2, recordings); // a prompt's, whichever row it becomes, and a step's

            // In: the cached tokens; angles and ids of four rows, one of them padding. Out: the three chosen ids and their logits.
            Assert.Equal(2 * (DeviceWorkspace.AnglesStart + (4 * ((model.Config.Text.HeadSize * sizeof(float)) + sizeof(int)))), device.WrittenBytes - written);
            Assert.Equal(2 * Slots * TokenKernels.ChoiceBytes, device.ReadBytes - read);

            void Advance(int count)
            {
                for (var i = 0; i < count; i++)
                {
                    Assert.True(tokens.MoveNext());
                }
            }
        }

        Assert.Equal(weights, device.LentBytes);
    }

    [Fact]
    public void More_answers_take_no_more_memory()
    {
        var device = new CountingDevice(new EmulatedDevice());
        using var model = LoadedModel.Load(RepositoryFiles.VlTiny, new ModelOptions(), content => new CudaExecution(device, content));
        var prompt = model.Prepare(Prompts[3]);
        var options = new GenerationOptions { MaxTokens = 2, StopTokens = [] };
        Assert.Equal(2 * Slots, Generate(model, Enumerable.Repeat(prompt, Slots), options).Count());
        var peak = device.PeakBytes;
        Assert.Equal(2 * 2 * Slots, Generate(model, Enumerable.Repeat(prompt, 2 * Slots), options).Count());
        Assert.Equal(peak, device.PeakBytes);
    }

    // The third prompt is longer than a cache is at first: what was recorded for steps before it reads what has moved. With two rows the first answer moves while it is in progress.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Caches_that_move_keep_their_answers(int slots)
    {
        // In chunks of one length, so that nothing but the caches moves.
        using var model = LoadedModel.Load(RepositoryFiles.VlTiny, new ModelOptions { PrefillTokens = 16 }, content => new CudaExecution(new EmulatedDevice(), content));
        PreparedPrompt[] prompts = [.. new[] { "Say one.", "Say two.", string.Concat(Enumerable.Repeat("What?", 82)), "Say three." }.Select(text => model.Prepare(new Prompt().Text(text)))];
        Assert.InRange(prompts[2].InputIds.Length, 257, 320);
        var options = new GenerationOptions { MaxTokens = 3, StopTokens = [] };
        var answers = Generate(model, prompts, options, slots).Select(sequence => (sequence.Prompt, sequence.Token)).ToArray();
        for (var i = 0; i < prompts.Length; i++)
        {
            Assert.Equal(model.GenerateTokens(prompts[i], options), answers.Where(answer => answer.Prompt == i).Select(answer => answer.Token));
        }
    }

    private static IEnumerable<Sequence> Generate(LoadedModel model, IEnumerable<PreparedPrompt> prompts, GenerationOptions options, int slots = Slots)
        => model.GenerateTokens(prompts.Select(prompt => (Func<PreparedPrompt>)(() => prompt)), slots, options, default);

    private static void Check(ICudaDevice device, string path, double temperature, int tokens, double penalty = 1)
    {
        using var model = LoadedModel.Load(path, new ModelOptions { MaxSequences = Slots }, content => new CudaExecution(device, content));
        var prompts = Prompts.Select(prompt => model.Prepare(prompt)).ToArray();
        var options = new GenerationOptions { MaxTokens = tokens, StopTokens = [], Temperature = temperature, Seed = 5, RepetitionPenalty = penalty };
        int[][] alone = [.. prompts.Select((prompt, i) => model.GenerateTokens(prompt, options with { Seed = 5 + (ulong)i }).ToArray())];

        // A token of one answer that is not yet in another makes that one end earlier, so that rows change places.
        options = options with { StopTokens = [alone[0][1], alone[1][2]] };
        int[][] expected = [.. alone.Select(answer => answer[..(Array.FindIndex(answer, options.StopTokens.Contains) is var end && end >= 0 ? end + 1 : answer.Length)])];
        Assert.True(expected.Select(answer => answer.Length).Distinct().Count() > 1);

        var answers = prompts.Select(_ => new List<int>()).ToArray();
        foreach (var sequence in Generate(model, prompts, options))
        {
            answers[sequence.Prompt].Add(sequence.Token);
        }

        Assert.Equal(expected, answers.Select(answer => answer.ToArray()));
    }
}
