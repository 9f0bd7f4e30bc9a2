using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Tests.Artifacts;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Schemes;
using MASQuant.Runtime;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Layers;

public sealed class LayerLoaderTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly QuantizedLayer _layer;
    private readonly Artifact _artifact;
    private readonly UserCount _users;

    public LayerLoaderTests()
    {
        var config = ModelConfigReader.ReadFolder(RepositoryFiles.OmniTiny).Text;
        using var checkpoint = Checkpoint.Open(RepositoryFiles.OmniTiny);
        _layer = RandomLayer.Create(1, 0, config, QuantizationScheme.W4A8);
        LayerFile.Write(_folder.File("layer-0"), _layer);
        var manifest = ArtifactWriter.Write(_folder.Path, RandomLayer.Manifest([RandomLayer.Describe(_layer, config)]), checkpoint, [_folder.File("layer-0")]);
        _artifact = Artifact.Open(_folder.File(manifest.Artifact));
        _users = new UserCount(nameof(Artifact), _artifact.RequireWhole, _artifact.Dispose);
    }

    public void Dispose()
    {
        _users.End();
        _folder.Dispose();
    }

    [Fact]
    public void A_loaded_layer_computes_what_its_weight_says()
    {
        using var linear = Loader(256, QuantizationScheme.W4A8).Load(new ModelArtifact(_artifact, _users));
        using var expected = new QuantizedLinear(_layer.Linears["mlp.down_proj"], _layer.Inputs[InputGroup.Down]);
        var x = new Matrix(3, 768);
        for (var i = 0; i < x.Span.Length; i++)
        {
            x.Data[i] = (i * 37 % 101) - 50;
        }

        var modalities = new ModalityMap([Modality.Text, Modality.Vision, Modality.Audio]);
        var (y, z) = (new Matrix(3, 256), new Matrix(3, 256));
        linear.Forward(x, modalities, y);
        expected.Forward(x, modalities, z);
        Assert.Equal(z.Data, y.Data);
    }

    [Fact]
    public void Another_models_artifact_is_refused()
    {
        foreach (var loader in new[] { Loader(512, QuantizationScheme.W4A8), Loader(256, QuantizationScheme.W8A8) })
        {
            Assert.Equal(DiagnosticCodes.ArtifactInvalid, Assert.Throws<MASQuantException>(() => loader.Load(new ModelArtifact(_artifact, _users))).Code);
        }
    }

    private static LayerLoader Loader(int outputs, QuantizationScheme scheme) => new(0, "mlp.down_proj", outputs, 768, scheme, 3, 5);
}
