using MASQuant.Engine.Audio;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tests.Models;
using MASQuant.Engine.Vision;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Lifetime;

/// <summary>The order in which a model gives back what an execution holds, on a device too.</summary>
public sealed class OpenSessionTests
{
    private readonly List<string> _ended = [];

    private static PreparedPrompt Prompt => TinyDecoder.Prompt(Golden.Load("vl/text"));

    [Fact]
    public void An_enumeration_that_is_never_ended_ends_with_the_model()
    {
        var model = Load();
        var left = model.GenerateTokens(Prompt).GetEnumerator();
        Assert.True(left.MoveNext());
        using (var ended = model.GenerateTokens(Prompt).GetEnumerator())
        {
            Assert.True(ended.MoveNext());
        }

        model.Dispose();
        Assert.Equal(["session 1", "session 0", "execution"], _ended);
        Assert.Throws<ObjectDisposedException>(() => left.MoveNext());
        left.Dispose();
        Assert.Equal(3, _ended.Count);
    }

    [Fact]
    public void Each_enumeration_has_a_session_of_its_own_and_none_without()
    {
        using var model = Load();
        var tokens = model.GenerateTokens(Prompt, new GenerationOptions { MaxTokens = 3 });
        Assert.Empty(_ended);
        Assert.Equal(tokens.ToArray(), tokens.ToArray());
        Assert.Equal(["session 0", "session 1"], _ended);
    }

    // A session holds keys and values: one that stays open stays as long as its model.
    [Fact]
    public async Task However_an_enumeration_is_ended_its_session_ends()
    {
        using var model = Load();
        var ask = new Prompt().Text("Quote a verse.");
        var options = new GenerationOptions { MaxTokens = 3, StopTokens = [] };
        using var cancelled = new CancellationTokenSource();
        Func<Task>[] ends =
        [
            () => Task.FromResult(model.Generate(ask, options).Count()),
            () => Task.FromResult(model.Generate(ask, options).First()),
            () => Task.FromResult(model.GenerateBatch([ask, ask], options)),
            () => Task.FromResult(model.GenerateBatch([ask, new Prompt().Image("missing.png")], options)),
            () => Task.FromResult(model.GenerateBatch(Broken(), options)),
            () => Task.FromResult(model.Generate(new Prompt().Image("missing.png"), options).Count()),
            () => Task.FromResult(model.Logits(Prompt)),
            async () => await model.GenerateBatchAsync([ask, ask], options).FirstAsync(),
            async () => await model.GenerateBatchAsync([ask, ask], options, cancelled.Token).Select(_ => Cancel()).CountAsync(),
        ];
        for (var i = 0; i < ends.Length; i++)
        {
            _ = await Record.ExceptionAsync(ends[i]);
            Assert.Equal(i + 1, _ended.Count);
        }

        IEnumerable<Prompt> Broken()
        {
            yield return ask;
            throw new InvalidOperationException();
        }

        int Cancel()
        {
            cancelled.Cancel();
            return 0;
        }
    }

    // Its rows end with their answers.
    [Fact]
    public async Task Answers_that_callers_ask_for_share_a_session_that_ends_with_the_model()
    {
        var model = Load();
        var ask = new Prompt().Text("Quote a verse.");
        var options = new GenerationOptions { MaxTokens = 3, StopTokens = [] };
        await model.GenerateAsync(ask, options).FirstAsync();
        await Task.WhenAll(Enumerable.Range(0, 3).Select(async _ => await model.GenerateAsync(ask, options).CountAsync()));
        Assert.Empty(_ended);

        model.Dispose();
        Assert.Equal(["session 0", "execution"], _ended);
    }

    private LoadedModel Load() => LoadedModel.Load(RepositoryFiles.VlTiny, new ModelOptions(), content => new NotingExecution(new CpuExecution(content), _ended));

    private sealed class NotingExecution(CpuExecution inner, List<string> ended) : IModelExecution
    {
        private int _sessions;

        public string DeviceName => inner.DeviceName;

        public int MaxSequences => 1;

        public IVisionTower Vision => inner.Vision;

        public IAudioTower? Audio => inner.Audio;

        public Decoder Decoder => inner.Decoder;

        public IDecoderSession NewSession(int sequences) => new NotingSession(inner.NewSession(sequences), $"session {_sessions++}", ended);

        public void Dispose() => ended.Add("execution");
    }

    private sealed class NotingSession(IDecoderSession inner, string name, List<string> ended) : IDecoderSession
    {
        public void Begin(PreparedPrompt prompt, IKeptTokens? kept = null) => inner.Begin(prompt, kept);

        public bool Advance(Sequence sequence, int most, CancellationToken cancellationToken) => inner.Advance(sequence, most, cancellationToken);

        public bool HasRoom(int row) => inner.HasRoom(row);

        public void Step(IReadOnlyList<Sequence> sequences, CancellationToken cancellationToken) => inner.Step(sequences, cancellationToken);

        public void End(int row) => inner.End(row);

        public IKeptTokens? Keep(int row) => inner.Keep(row);

        public Matrix Logits(PreparedPrompt prompt, Range rows, CancellationToken cancellationToken = default) => inner.Logits(prompt, rows, cancellationToken);

        public void Dispose() => ended.Add(name);
    }
}
