using MASQuant.Engine.Execution;
using MASQuant.Engine.Tests.Artifacts;
using MASQuant.Engine.Tests.Layouts;
using MASQuant.Runtime;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Lifetime;

/// <summary>What a model has open it closes, however it ends: descriptors and mappings are counted at once, before a collection could close them.</summary>
[Collection(RunAlone.Name)]
public sealed class OpenFileTests : IDisposable
{
    private static readonly GenerationOptions Endless = new() { MaxTokens = 4000, StopTokens = [] };
    private readonly TemporaryDirectory _folder = new();
    private readonly string _artifact;

    public OpenFileTests() => _artifact = RandomArtifact.Write(_folder.Path, RepositoryFiles.VlTiny, QuantizationScheme.W4A8);

    private static Prompt Ask => new Prompt().Text("Quote a verse.");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_model_closes_what_it_has_opened()
    {
        foreach (var path in new[] { _artifact, RepositoryFiles.VlTiny, RepositoryFiles.OmniTiny })
        {
            var folder = File.Exists(path) ? _folder.Path : path;
            for (var round = 0; round < 3; round++)
            {
                using (var model = MultimodalModel.Load(path))
                {
                    Assert.NotEmpty(Open(folder));
                    model.Generate(Ask, Endless with { MaxTokens = 3 }).Count();
                }

                Assert.Empty(Open(folder));
            }
        }
    }

    [Fact]
    public void An_answer_that_is_cancelled_or_left_keeps_nothing_open()
    {
        using (var model = MultimodalModel.Load(_artifact))
        {
            using var cancellation = new CancellationTokenSource();
            Assert.Throws<OperationCanceledException>(() =>
            {
                foreach (var _ in model.Generate(Ask, Endless, cancellation.Token))
                {
                    cancellation.Cancel();
                }
            });
            Assert.True(model.Generate(Ask, Endless).GetEnumerator().MoveNext()); // never ended
        }

        Assert.Empty(Open(_folder.Path));
    }

    [Fact]
    public void A_file_that_cannot_be_opened_is_closed()
    {
        var bytes = File.ReadAllBytes(_artifact);
        for (var part = 0; part < 32; part++)
        {
            // Cut in the header and in the tensors; bytes of both changed, which tensors bear.
            File.WriteAllBytes(_artifact, bytes[..(int)((long)bytes.Length * part * part / (32 * 32))]);
            Assert.Throws<MASQuantException>(() => MultimodalModel.Load(_artifact));
            Assert.Empty(Open(_folder.Path));

            var changed = (byte[])bytes.Clone();
            changed.AsSpan((int)((long)bytes.Length * part * part / (32 * 32)), 512).Fill((byte)'{');
            File.WriteAllBytes(_artifact, changed);
            _ = Record.Exception(() => MultimodalModel.Load(_artifact).Dispose());
            Assert.Empty(Open(_folder.Path));
        }
    }

    [Fact]
    public void A_file_of_tensors_that_is_no_artifact_is_closed()
    {
        var path = _folder.File("tensors");
        File.Copy(Path.Combine(RepositoryFiles.VlTiny, "model.safetensors"), path);
        Assert.Throws<MASQuantException>(() => MultimodalModel.Load(path));
        Assert.Empty(Open(_folder.Path));
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    [InlineData("preprocessor_config.json")]
    [InlineData("model-00002-of-00002.safetensors")]
    [InlineData("model.safetensors.index.json")]
    public void A_checkpoint_of_which_a_file_is_missing_or_broken_is_closed(string file)
    {
        using var copy = new TinyCopy(RepositoryFiles.OmniTiny);
        File.WriteAllText(copy.File(file), "{");
        Assert.Throws<MASQuantException>(() => MultimodalModel.Load(copy.Path));
        Assert.Empty(Open(copy.Path));
        File.Delete(copy.File(file));
        Assert.Throws<MASQuantException>(() => MultimodalModel.Load(copy.Path));
        Assert.Empty(Open(copy.Path));
    }

    [Fact]
    public void An_execution_that_fails_or_is_cancelled_leaves_nothing_open()
    {
        foreach (var error in new Exception[] { new OperationCanceledException(), new InsufficientMemoryException(), new InvalidOperationException() })
        {
            var thrown = Assert.ThrowsAny<Exception>(() => LoadedModel.Load(_artifact, new ModelOptions(), content =>
            {
                Assert.NotEmpty(Open(_folder.Path));
                throw error;
            }));
            Assert.Same(error, thrown);
            Assert.Empty(Open(_folder.Path));
        }
    }

    [Fact]
    public void Media_are_closed_whether_they_are_read_or_refused()
    {
        using var model = MultimodalModel.Load(_artifact);
        var image = _folder.File("image.png");
        foreach (var bytes in new[] { File.ReadAllBytes(RepositoryFiles.Golden("vl/two-images-0.png")), new byte[100] })
        {
            File.WriteAllBytes(image, bytes);
            _ = Record.Exception(() => model.Generate(new Prompt().Image(image).Text("What?"), Endless with { MaxTokens = 1 }).Count());
            Assert.DoesNotContain(Open(_folder.Path), line => line.EndsWith("image.png", StringComparison.Ordinal));
        }
    }

    private static IReadOnlyList<string> Open(string folder) => OpenFiles.Under(folder);
}
