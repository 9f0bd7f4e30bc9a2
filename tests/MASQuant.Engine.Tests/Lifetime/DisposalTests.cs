using System.Globalization;
using MASQuant.Diagnostics;
using MASQuant.Engine.Tests.Artifacts;
using MASQuant.Formats.Files;
using MASQuant.Runtime;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Lifetime;

/// <summary>Disposing a model that is in use.</summary>
public sealed class DisposalTests : IDisposable
{
    private const int Disposals = 1000;
    private const int Hosts = 200;
    private readonly TemporaryDirectory _folder = new();
    private readonly string _artifact;

    public DisposalTests() => _artifact = RandomArtifact.Write(_folder.Path, RepositoryFiles.VlTiny, QuantizationScheme.W4A8);

    private static Prompt Ask => new Prompt().Text("Quote a verse.");

    private static GenerationOptions Endless => new() { MaxTokens = 4000, StopTokens = [] };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_thousand_at_random_moments_end_what_runs_and_not_the_process()
    {
        var output = TestProcess.Output(["dispose", _artifact, Disposals.ToString(CultureInfo.InvariantCulture)]).Trim().Split(' ');
        Assert.Equal(Disposals, int.Parse(output[0], CultureInfo.InvariantCulture));
        Assert.InRange(int.Parse(output[1], CultureInfo.InvariantCulture), Disposals, 5 * Disposals); // every answer is longer than the time that it gets
    }

    [Fact]
    [Trait("Lane", "slow")]
    public void Two_hundred_with_the_web_application_that_streams_answers_end_them_and_not_the_process()
    {
        var output = TestProcess.Output(["host", _artifact, Hosts.ToString(CultureInfo.InvariantCulture)]).Trim().Split(' ');
        Assert.Equal(Hosts, int.Parse(output[0], CultureInfo.InvariantCulture));
        Assert.InRange(int.Parse(output[1], CultureInfo.InvariantCulture), 1, 4 * Hosts);
    }

    [Fact]
    public async Task Who_reads_an_answer_may_dispose_the_model()
    {
        await Ends(model => Task.Run(() => DisposeAtFirst(model, model.Generate(Ask, Endless))));
        await Ends(model => DisposeAtFirstAsync(model, model.GenerateAsync(Ask, Endless)));
        await Ends(model => DisposeAtFirstAsync(model, model.GenerateBatchAsync([Ask, Ask], Endless)));
        await Ends(model => Task.Run(() => model.GenerateBatch(DisposeAtSecond(model), Endless)));

        async Task Ends(Func<MultimodalModel, Task> use)
        {
            var model = MultimodalModel.Load(_artifact);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => use(model));
            model.Dispose();
        }

        static void DisposeAtFirst<T>(MultimodalModel model, IEnumerable<T> pieces)
        {
            foreach (var piece in pieces)
            {
                model.Dispose();
            }
        }

        static async Task DisposeAtFirstAsync<T>(MultimodalModel model, IAsyncEnumerable<T> pieces)
        {
            await foreach (var piece in pieces)
            {
                model.Dispose();
            }
        }

        static IEnumerable<Prompt> DisposeAtSecond(MultimodalModel model)
        {
            yield return Ask;
            model.Dispose();
            yield return Ask;
        }
    }

    [Fact]
    public void A_layer_ends_with_its_model()
    {
        var model = MultimodalModel.Load(_artifact);
        var loader = new LayerLoader(0, "mlp.down_proj", 128, 256, QuantizationScheme.W4A8, 3, 5);
        using var layer = loader.Load(model.Artifact!);
        layer.Forward(new Matrix(1, 256), ModalityMap.Text(1), new Matrix(1, 128));
        model.Dispose();

        Assert.Throws<ObjectDisposedException>(() => layer.Forward(new Matrix(1, 256), ModalityMap.Text(1), new Matrix(1, 128)));
        Assert.Throws<ObjectDisposedException>(() => loader.Load(model.Artifact!));
    }

    // Reading on would end the process.
    [SkippableFact]
    public void An_artifact_that_is_truncated_is_refused_by_the_next_token()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows refuses to truncate a mapped file.");
        using var model = MultimodalModel.Load(_artifact);
        var layer = new LayerLoader(0, "mlp.down_proj", 128, 256, QuantizationScheme.W4A8, 3, 5).Load(model.Artifact!);
        using var pieces = model.Generate(Ask, Endless).GetEnumerator();
        Assert.True(pieces.MoveNext());
        using (var file = new FileStream(_artifact, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            file.SetLength(0);
        }

        foreach (var use in (Action[])[() => pieces.MoveNext(), () => model.Generate(Ask).First(), () => layer.Forward(new Matrix(1, 256), ModalityMap.Text(1), new Matrix(1, 128))])
        {
            var error = Assert.Throws<MASQuantException>(use);
            Assert.Equal((DiagnosticCodes.FileNotReadable, _artifact), (error.Code, error.File));
        }
    }

    [Fact]
    public void A_file_that_is_replaced_or_deleted_leaves_the_model_as_it_was()
    {
        using var model = MultimodalModel.Load(_artifact);
        var options = Endless with { MaxTokens = 5 };
        var answer = string.Concat(model.Generate(Ask, options));
        AtomicFile.Write(_artifact, new byte[1]);
        Assert.Equal(answer, string.Concat(model.Generate(Ask, options)));
        File.Delete(_artifact);
        Assert.Equal(answer, string.Concat(model.Generate(Ask, options)));
    }
}
