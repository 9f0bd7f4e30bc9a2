using MASQuant.Engine.Execution;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Serving;

/// <summary>omni-tiny on a watched execution.</summary>
internal sealed class ServedFixture : IDisposable
{
    public ServedFixture(ModelOptions? options = null)
        => Model = LoadedModel.Load(RepositoryFiles.OmniTiny, options ?? new ModelOptions(), content => Execution = new WatchedExecution(new CpuExecution(content)));

    public LoadedModel Model { get; }

    public WatchedExecution Execution { get; private set; } = null!;

    public string Alone(Prompt prompt, GenerationOptions options) => string.Concat(Model.Generate(prompt, options));

    public async Task<(string Text, AnswerUsage Usage)> Ask(Prompt prompt, GenerationOptions options, CancellationToken cancellationToken = default)
    {
        var pieces = new List<BatchPiece>();
        await foreach (var piece in Model.GeneratePiecesAsync(prompt, options, cancellationToken))
        {
            pieces.Add(piece);
        }

        Assert.Equal([.. Enumerable.Repeat(false, pieces.Count - 1), true], pieces.Select(piece => piece.IsLast));
        return (string.Concat(pieces.Select(piece => piece.Text)), pieces[^1].Usage!.Value);
    }

    public void Dispose() => Model.Dispose();
}
