using MASQuant.Engine.Execution;
using MASQuant.Engine.Tests.Artifacts;
using MASQuant.Engine.Tests.Gemm;
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
    private readonly UserCount _users;
    private readonly ModelArtifact _artifact;

    public ArtifactModuleTests()
    {
        var config = ModelConfigReader.ReadFolder(RepositoryFiles.OmniTiny).Text;
        using var checkpoint = Checkpoint.Open(RepositoryFiles.OmniTiny);
        var layer = RandomLayer.Create(1, 0, config, QuantizationScheme.W4A8);
        LayerFile.Write(_folder.File("layer-0"), layer);
        var manifest = ArtifactWriter.Write(_folder.Path, RandomLayer.Manifest([RandomLayer.Describe(layer, config)]), checkpoint, [_folder.File("layer-0")]);
        var artifact = Artifact.Open(_folder.File(manifest.Artifact));
        _users = new UserCount(nameof(Artifact), artifact.RequireWhole, artifact.Dispose);
        _artifact = new ModelArtifact(artifact, _users);
    }

    public void Dispose()
    {
        _users.End();
        _folder.Dispose();
    }

    [TorchFact]
    public void A_disposed_models_module_computes_no_more()
    {
        using var module = Module();
        using var x = randn(3, module.Inputs, dtype: ScalarType.Float32);
        module.forward(x).Dispose();
        _users.End();
        Assert.Throws<ObjectDisposedException>(() => module.forward(x));
    }

    /// <summary>Each pass is whole or refused, on every thread; nothing reads what is no longer mapped.</summary>
    [TorchFact]
    public async Task Disposal_in_use_ends_each_thread_with_its_exception()
    {
        using var module = Module();
        using var x = randn(8, module.Inputs, dtype: ScalarType.Float32);
        using var expected = module.forward(x, Modality.Vision);
        var passed = new CountdownEvent(4);
        var threads = Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var pass = 0; ; pass++)
            {
                using var y = module.forward(x, Modality.Vision);
                Bits.AssertSame(expected.ToMatrix().Data, y.ToMatrix().Data);
                if (pass == 3)
                {
                    passed.Signal();
                }
            }
        })).ToArray();
        passed.Wait();
        _users.End();
        foreach (var thread in threads)
        {
            await Assert.ThrowsAsync<ObjectDisposedException>(() => thread);
        }
    }

    private QuantizedLinearModule Module() => new(new LayerLoader(0, "mlp.down_proj", 256, 768, QuantizationScheme.W4A8, 3, 5).Load(_artifact));
}
