using MASQuant.Engine.Execution;
using MASQuant.Engine.Tests.Artifacts;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Runtime;
using MASQuant.Tests;
using MASQuant.TorchSharp;
using static TorchSharp.torch;

namespace MASQuant.Torch.Tests.Tensors;

/// <summary>Modules over a mapped artifact, while the model is disposed.</summary>
public sealed class ArtifactModuleTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly string _file;

    public ArtifactModuleTests()
    {
        var config = ModelConfigReader.ReadFolder(RepositoryFiles.OmniTiny).Text;
        using var checkpoint = Checkpoint.Open(RepositoryFiles.OmniTiny);
        var layer = RandomLayer.Create(1, 0, config, QuantizationScheme.W4A8);
        LayerFile.Write(_folder.File("layer-0"), layer);
        _file = _folder.File(ArtifactWriter.Write(_folder.Path, RandomLayer.Manifest([RandomLayer.Describe(layer, config)]), checkpoint, [_folder.File("layer-0")]).Artifact);
    }

    public void Dispose() => _folder.Dispose();

    [TorchFact]
    public void A_disposed_models_module_computes_no_more()
    {
        var (module, users) = Open();
        using (module)
        {
            using var x = randn(3, module.Inputs, dtype: ScalarType.Float32);
            module.forward(x).Dispose();
            users.End();
            Assert.Throws<ObjectDisposedException>(() => module.forward(x));
        }
    }

    /// <summary>Each pass is whole or refused, on every thread; nothing reads what is no longer mapped. Of so many rows that threads are within a product most of the time, and ten times over.</summary>
    [TorchFact]
    public async Task Disposal_in_use_ends_each_thread_with_its_exception()
    {
        for (var round = 0; round < 10; round++)
        {
            var (module, users) = Open();
            using var passed = new CountdownEvent(4);
            using var x = randn(512, module.Inputs, dtype: ScalarType.Float32);
            using var expected = module.forward(x, Modality.Vision);
            var threads = Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
            {
                for (var pass = 0; ; pass++)
                {
                    using var y = module.forward(x, Modality.Vision);
                    Assert.True(expected.bytes.SequenceEqual(y.bytes));
                    if (pass == 3)
                    {
                        passed.Signal();
                    }
                }
            })).ToArray();
            passed.Wait();
            users.End();
            foreach (var thread in threads)
            {
                await Assert.ThrowsAsync<ObjectDisposedException>(() => thread);
            }

            module.Dispose();
        }
    }

    private (QuantizedLinearModule Module, UserCount Users) Open()
    {
        var artifact = Artifact.Open(_file);
        var users = new UserCount(nameof(Artifact), artifact.RequireWhole, artifact.Dispose);
        return (new(new LayerLoader(0, "mlp.down_proj", 256, 768, QuantizationScheme.W4A8, 3, 5).Load(new ModelArtifact(artifact, users))), users);
    }
}
