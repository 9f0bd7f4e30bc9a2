using MASQuant.Diagnostics;
using MASQuant.Engine.Tests.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Serving;

/// <summary>Prompts that come at any time share steps; each answer is that of its prompt alone.</summary>
public sealed class AnswerSchedulerTests
{
    private static readonly GenerationOptions Long = new() { MaxTokens = 40, StopTokens = [] };

    private static readonly Prompt[] Prompts =
    [
        new Prompt().Text("Quote a verse."),
        GoldenPrompt.Of(Golden.Load("omni/audio")),
        new Prompt().Text("Say one."),
        GoldenPrompt.Of(Golden.Load("omni/image-audio")),
        new Prompt().Text("Quote a verse of the second book."),
        GoldenPrompt.Of(Golden.Load("omni/image")),
    ];

    [Theory]
    [InlineData(16, 0, KeyValueFormat.Float32)]
    [InlineData(2, 0, KeyValueFormat.Float32)]
    [InlineData(16, 1 << 28, KeyValueFormat.Float32)]
    [InlineData(16, 1 << 28, KeyValueFormat.BFloat16)]
    [InlineData(3, 2_500_000, KeyValueFormat.Float32)] // Some prefixes are kept, others are not.
    [InlineData(3, 1_250_000, KeyValueFormat.BFloat16)]
    public async Task Answers_are_those_of_the_prompts_alone(int sequences, long prefixBytes, KeyValueFormat format)
    {
        using var served = new ServedFixture(new ModelOptions { MaxSequences = sequences, PrefixCacheBytes = prefixBytes, PrefillTokens = 20, KeyValues = format });
        var options = Enumerable.Range(0, 24).Select(i => new GenerationOptions { MaxTokens = 1 + (i * 7 % 20), Temperature = i % 3, Seed = (ulong)i, RepetitionPenalty = i % 4 == 0 ? 1.1 : 1 }).ToArray();
        var alone = options.Select((option, i) => served.Alone(Prompts[i % Prompts.Length], option)).ToArray();

        var together = await Task.WhenAll(options.Select((option, i) => served.Ask(Prompts[i % Prompts.Length], option)));

        Assert.Equal(alone, together.Select(answer => answer.Text));
        Assert.Contains(served.Execution.Calls, call => call != "p" && int.Parse(call, System.Globalization.CultureInfo.InvariantCulture) > 1);
        Assert.DoesNotContain(served.Execution.Calls, call => call != "p" && int.Parse(call, System.Globalization.CultureInfo.InvariantCulture) > sequences);
    }

    // A prompt that comes while another is answered joins its steps, and is evaluated part by part between them.
    [Fact]
    public async Task No_step_waits_for_a_long_prompt()
    {
        using var served = new ServedFixture();
        var text = string.Concat(Enumerable.Repeat("Quote a verse. ", 60));
        Task? joins = null;
        var rows = 0;
        served.Execution.BeforeStep = count =>
        {
            joins ??= Task.Run(() => served.Ask(new Prompt().Text(text), new GenerationOptions { MaxTokens = 2, StopTokens = [] }));
            rows = count;
            Thread.Sleep(1); // Gives it time to come.
        };

        await served.Ask(Prompts[0], new GenerationOptions { MaxTokens = 500, StopTokens = [] });
        await joins!;

        var calls = string.Concat(served.Execution.Calls);
        var tokens = served.Model.Encoder.Plan(new Prompt().Text(text).Messages).Ids.Length;
        var parts = (tokens + 63) / 64;
        Assert.True(parts > 3);
        Assert.Contains(string.Concat(Enumerable.Repeat("p1", parts - 1)) + "p2", calls, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_is_cancelled_leaves_the_others()
    {
        using var served = new ServedFixture();
        var expected = served.Alone(Prompts[0], Long);
        using var cancellation = new CancellationTokenSource();
        var steps = 0;
        served.Execution.BeforeStep = _ =>
        {
            if (++steps == 5)
            {
                cancellation.Cancel();
            }
        };

        var cancelled = served.Ask(Prompts[2], Long with { MaxTokens = 5000 }, cancellation.Token);
        var other = served.Ask(Prompts[0], Long);

        Assert.Equal(cancellation.Token, (await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled)).CancellationToken);
        Assert.Equal(expected, (await other).Text);
        Assert.Equal(expected, (await served.Ask(Prompts[0], Long)).Text);
    }

    // Each answer waits before its fourth step until it has been left, and has no other end than the model's positions.
    [Fact]
    public async Task An_enumeration_that_is_left_makes_room()
    {
        using var served = new ServedFixture(new ModelOptions { MaxSequences = 1 });
        var (left, answer, steps, all) = (0, -1, 0, 0);
        served.Execution.BeforePart = () => (answer, steps) = (answer + 1, 0);
        served.Execution.BeforeStep = _ =>
        {
            all++;
            if (++steps == 4 && answer < 3)
            {
                SpinWait.SpinUntil(() => Volatile.Read(ref left) > answer);
            }
        };
        for (var i = 0; i < 3; i++)
        {
            await foreach (var _ in served.Model.GenerateAsync(Prompts[0], Long with { MaxTokens = int.MaxValue }))
            {
                break;
            }

            Interlocked.Increment(ref left);
        }

        var last = await served.Ask(Prompts[2], Long);
        Assert.InRange(all, 39, (3 * 4) + 39); // the steps of 40 tokens, whose first is the prompt's
        Assert.Equal(served.Alone(Prompts[2], Long), last.Text);
    }

    [Fact]
    public async Task What_a_prompt_fails_with_is_its_own()
    {
        using var served = new ServedFixture();
        var missing = served.Ask(new Prompt().Image("missing.png"), Long);
        var other = served.Ask(Prompts[0], Long);

        Assert.Equal(DiagnosticCodes.FileNotReadable, (await Assert.ThrowsAsync<MASQuantException>(() => missing)).Code);
        Assert.Equal(served.Alone(Prompts[0], Long), (await other).Text);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_device_that_fails_takes_its_answers_along_and_no_later_one(bool atPrompt)
    {
        using var served = new ServedFixture();
        var (fails, running) = (true, false);
        served.Execution.BeforeStep = rows => FailIf(!atPrompt && rows == 2);
        served.Execution.BeforePart = () =>
        {
            FailIf(atPrompt && running); // The second prompt's: the first has been evaluated as a whole.
            running = true;
        };

        var both = new[] { served.Ask(Prompts[0], Long with { MaxTokens = 4000 }), served.Ask(Prompts[2], Long with { MaxTokens = 4000 }) };
        foreach (var one in both)
        {
            Assert.Equal(DiagnosticCodes.DriverCallFailed, (await Assert.ThrowsAsync<MASQuantException>(() => one)).Code);
        }

        Assert.Equal(served.Alone(Prompts[0], Long), (await served.Ask(Prompts[0], Long)).Text);

        void FailIf(bool now)
        {
            if (fails && now)
            {
                fails = false;
                throw new MASQuantException(DiagnosticCodes.DriverCallFailed, null, "");
            }
        }
    }

    [Fact]
    public async Task More_than_may_wait_are_refused()
    {
        using var served = new ServedFixture(new ModelOptions { MaxSequences = 1, MaxWaiting = 2 });
        using var gate = new ManualResetEventSlim();
        using var begun = new SemaphoreSlim(0);
        served.Execution.BeforePart = () =>
        {
            begun.Release();
            gate.Wait();
        };
        var brief = new GenerationOptions { MaxTokens = 2 };
        List<Task<(string, AnswerUsage)>> taken = [served.Ask(Prompts[0], brief)];
        await begun.WaitAsync();

        // One is evaluated and one prepared; two wait.
        MASQuantException? refused = null;
        while (refused is null)
        {
            var next = served.Ask(Prompts[0], brief);
            await Task.WhenAny(next, Task.Delay(50));
            refused = next.IsFaulted ? (MASQuantException)next.Exception!.InnerException! : null;
            taken.AddRange(refused is null ? [next] : []);
        }

        Assert.Equal(DiagnosticCodes.TooManyWaiting, refused.Code);
        Assert.Equal(4, taken.Count);
        gate.Set();
        await Task.WhenAll(taken);
    }

    [Fact]
    public async Task Who_has_left_takes_no_place_among_those_who_wait()
    {
        using var served = new ServedFixture(new ModelOptions { MaxSequences = 1, MaxWaiting = 2 });
        using var gate = new ManualResetEventSlim();
        using var cancellation = new CancellationTokenSource();
        served.Execution.BeforePart = gate.Wait;
        var brief = new GenerationOptions { MaxTokens = 2 };
        var refused = 0;
        List<Task> left = [];
        while (refused == 0)
        {
            var next = served.Ask(Prompts[0], brief, cancellation.Token);
            await Task.WhenAny(next, Task.Delay(50));
            refused += next.IsFaulted ? 1 : 0;
            left.Add(next);
        }

        cancellation.Cancel();
        var stays = served.Ask(Prompts[2], brief);
        gate.Set();

        Assert.Equal(served.Alone(Prompts[2], brief), (await stays).Text);
        await Assert.ThrowsAnyAsync<Exception>(() => Task.WhenAll(left));
    }

    [Fact]
    public async Task The_models_end_ends_all_that_wait()
    {
        var served = new ServedFixture(new ModelOptions { MaxSequences = 2 });
        served.Execution.BeforeStep = rows =>
        {
            if (rows == 2)
            {
                _ = Task.Run(served.Dispose);
            }
        };

        var all = Enumerable.Range(0, 6).Select(_ => served.Ask(Prompts[0], Long with { MaxTokens = 5000 })).ToArray();
        foreach (var one in all)
        {
            await Assert.ThrowsAsync<ObjectDisposedException>(() => one);
        }

        served.Dispose();
    }
}
