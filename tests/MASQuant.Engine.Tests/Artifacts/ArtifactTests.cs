using MASQuant.Diagnostics;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Artifacts;

public sealed class ArtifactTests : IDisposable
{
    private const string Linear = "self_attn.q_proj";

    private readonly TemporaryDirectory _folder = new();
    private readonly Checkpoint _checkpoint = Checkpoint.Open(RepositoryFiles.OmniTiny);
    private readonly TextConfig _config = ModelConfigReader.ReadFolder(RepositoryFiles.OmniTiny).Text;

    public static TheoryData<string> Schemes => [.. QuantizationScheme.All.Select(scheme => scheme.ToString())];

    public void Dispose()
    {
        _checkpoint.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Schemes))]
    public void Quantized_layers_come_back_as_they_were(string schemeName)
    {
        Assert.True(QuantizationScheme.TryParse(schemeName, out var scheme));
        var layers = Enumerable.Range(0, 2).Select(i => RandomLayer.Create(i, i, _config, scheme)).ToArray();
        using var artifact = Artifact.Open(Write(layers));
        foreach (var layer in layers)
        {
            foreach (var linear in Qwen25Decoder.Describe(_config).Blocks[0].Linears)
            {
                Assert.True(artifact.IsQuantized(layer.Index, linear.Name));
                AssertEqual(layer.Linears[linear.Name], artifact.ReadLinear(layer.Index, linear.Name));
                AssertEqual(layer.Inputs[linear.Group], artifact.ReadInput(layer.Index, linear.Group));
            }
        }
    }

    [Fact]
    public void Everything_else_is_as_the_checkpoint_had_it()
    {
        using var artifact = Artifact.Open(Write(Layers()));
        foreach (var tensor in _checkpoint.Tensors)
        {
            var quantized = Qwen25Decoder.Describe(_config).Blocks[0].Linears.Any(linear => Enumerable.Range(0, 2).Any(layer => tensor.Name.StartsWith($"model.layers.{layer}.{linear.Name}.", StringComparison.Ordinal)));
            if (quantized)
            {
                Assert.False(tensor.Name.EndsWith(".weight", StringComparison.Ordinal) && artifact.TryGet(tensor.Name, out _), tensor.Name);
            }
            else
            {
                Assert.Equal(tensor.Type, artifact.Find(tensor.Name).Type);
                Assert.Equal(tensor.Shape, artifact.Find(tensor.Name).Shape);
                Assert.Equal(_checkpoint.Bytes(tensor.Name).ToArray(), artifact.Bytes(tensor.Name).ToArray());
            }
        }

        foreach (var file in new[] { "tokenizer.json", "config.json", "preprocessor_config.json", "generation_config.json" })
        {
            Assert.Equal(_checkpoint.ReadFile(file).ToArray(), artifact.ReadFile(file).ToArray());
        }

        Assert.False(artifact.TryReadFile("vocab.json", out _));
        Assert.DoesNotContain(artifact.Tensors, tensor => tensor.Name.StartsWith("files/", StringComparison.Ordinal));
        Assert.Equal(_config.HiddenSize, ModelConfigReader.Read(artifact).Text.HiddenSize);
    }

    [Fact]
    public void Both_manifests_tell_the_same_and_their_sizes_add_up()
    {
        var path = Write(Layers());
        using var artifact = Artifact.Open(path);
        var beside = ManifestFile.Read(_folder.File("OmniTiny.masquant.json"));
        Assert.Equal(new FileInfo(path).Length, beside.ArtifactBytes);
        Assert.Equal("OmniTiny.masquant.safetensors", beside.Artifact);
        Assert.Equal(ManifestFile.Serialize(beside with { ArtifactBytes = 0 }), ManifestFile.Serialize(artifact.Manifest));

        // Every stored byte of the two blocks but their norms belongs to one linear layer.
        var stored = artifact.Tensors.Where(t => t.Name.StartsWith("model.layers.0.", StringComparison.Ordinal) || t.Name.StartsWith("model.layers.1.", StringComparison.Ordinal))
            .Where(t => !t.Name.Contains("layernorm", StringComparison.Ordinal)).Sum(t => (long)artifact.Bytes(t.Name).Length);
        Assert.Equal(stored, beside.Layers.SelectMany(layer => layer.Linears).Sum(linear => linear.Bytes));
    }

    [Fact]
    public void The_same_content_gives_the_same_bytes()
    {
        var first = File.ReadAllBytes(Write(Layers()));
        Assert.Equal(first, File.ReadAllBytes(Write(Layers())));
    }

    [Fact]
    public void Codes_lie_at_multiples_of_64_bytes()
    {
        using var artifact = Artifact.Open(Write(Layers()));
        foreach (var linear in Qwen25Decoder.Describe(_config).Blocks[0].Linears)
        {
            using var pin = artifact.ReadLinear(1, linear.Name).Codes.Pin();
            unsafe
            {
                Assert.Equal(0u, (nuint)pin.Pointer % 64);
            }
        }
    }

    [Fact]
    public void A_layer_that_is_not_there_is_named()
    {
        using var artifact = Artifact.Open(Write(Layers()));
        Assert.False(artifact.IsQuantized(2, Linear));
        Assert.Contains("model.layers.2.self_attn.q_proj", AssertThrows(DiagnosticCodes.ArtifactInvalid, () => artifact.ReadLinear(2, Linear)).Message, StringComparison.Ordinal);
        AssertThrows(DiagnosticCodes.ArtifactInvalid, () => artifact.ReadLinear(-1, Linear));
        AssertThrows(DiagnosticCodes.ArtifactInvalid, () => artifact.ReadInput(2, InputGroup.Down));
    }

    [Fact]
    public void A_checkpoint_is_no_artifact()
        => AssertThrows(DiagnosticCodes.NotAnArtifact, () => Artifact.Open(Path.Combine(RepositoryFiles.VlTiny, "model.safetensors")));

    [Theory]
    [InlineData("1")]
    [InlineData("3")]
    [InlineData("")]
    public void An_artifact_of_another_version_is_refused(string version)
    {
        var path = Write(Layers());
        Rewrite(path, tensors => tensors, new() { ["format"] = "masquant", ["format_version"] = version });
        Assert.Contains("Quantize the model again", AssertThrows(DiagnosticCodes.ArtifactVersion, () => Artifact.Open(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("W4A8", "codes")]
    [InlineData("W4A8", "scales")]
    [InlineData("W4A8", "L1.vision")]
    [InlineData("W4A8", "L2.audio")]
    [InlineData("W4A16", "zero_points")]
    [InlineData("W4A6", "group_scales")]
    public void An_artifact_without_a_tensor_or_with_another_shape_is_refused(string schemeName, string suffix)
    {
        Assert.True(QuantizationScheme.TryParse(schemeName, out var scheme));
        QuantizedLayer[] layers = [.. Enumerable.Range(0, 2).Select(i => RandomLayer.Create(i, i, _config, scheme))];
        var name = $"model.layers.1.{Linear}.{suffix}";
        var path = Write(layers);
        Rewrite(path, tensors => tensors.Where(t => t.Tensor.Name != name));
        Assert.Contains(name, AssertThrows(DiagnosticCodes.ArtifactInvalid, () => Artifact.Open(path)).Message, StringComparison.Ordinal);

        path = Write(layers);
        Rewrite(path, tensors => tensors.Select(t => t.Tensor.Name == name ? TensorPayload.OfBytes(name, t.Tensor.Type, new byte[64], 64 / t.Tensor.Type.ByteSize()) : t));
        Assert.Contains(name, AssertThrows(DiagnosticCodes.ArtifactInvalid, () => Artifact.Open(path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("W4A16", "scales", DiagnosticCodes.TensorNotFinite)]
    [InlineData("W4A16", "L1.vision", DiagnosticCodes.TensorNotFinite)]
    [InlineData("W4A16", "zero_points", DiagnosticCodes.ArtifactInvalid)]
    [InlineData("W4A6", "group_scales", DiagnosticCodes.ArtifactInvalid)]
    public void Values_that_no_quantization_writes_are_refused(string schemeName, string suffix, string code)
    {
        Assert.True(QuantizationScheme.TryParse(schemeName, out var scheme));
        var name = $"model.layers.1.{Linear}.{suffix}";
        var path = Write([.. Enumerable.Range(0, 2).Select(i => RandomLayer.Create(i, i, _config, scheme))]);
        Rewrite(path, tensors => tensors.Select(t => t.Tensor.Name == name
            ? TensorPayload.OfBytes(name, t.Tensor.Type, Enumerable.Repeat((byte)0xFF, (int)t.Bytes).ToArray(), [.. t.Tensor.Shape])
            : t));
        using var artifact = Artifact.Open(path);
        AssertThrows(code, () => artifact.ReadLinear(1, Linear));
        artifact.ReadLinear(0, Linear);
    }

    [Theory]
    [InlineData("W8A8", "rotation", 0xFF)]
    [InlineData("W4A4", "clips", 0)]
    public void An_input_that_no_quantization_asks_for_is_refused(string schemeName, string suffix, byte value)
    {
        Assert.True(QuantizationScheme.TryParse(schemeName, out var scheme));
        var name = "model.layers.1.down." + suffix;
        var path = Write([.. Enumerable.Range(0, 2).Select(i => RandomLayer.Create(i, i, _config, scheme))]);
        Rewrite(path, tensors => tensors.Select(t => t.Tensor.Name == name
            ? TensorPayload.OfBytes(name, t.Tensor.Type, Enumerable.Repeat(value, (int)t.Bytes).ToArray(), [.. t.Tensor.Shape])
            : t));
        using var artifact = Artifact.Open(path);
        AssertThrows(DiagnosticCodes.ArtifactInvalid, () => artifact.ReadInput(1, InputGroup.Down));
        artifact.ReadInput(0, InputGroup.Down);
    }

    [Fact]
    public void A_layer_file_brings_its_block_back()
    {
        foreach (var scheme in QuantizationScheme.All)
        {
            var layer = RandomLayer.Create(7, 4, _config, scheme);
            var path = _folder.File("layer");
            LayerFile.Write(path, layer);
            var read = LayerFile.Read(path, 4, Qwen25Decoder.Describe(_config));
            Assert.All(layer.Inputs, group => AssertEqual(group.Value, read.Inputs[group.Key]));
            Assert.Equal(layer.Linears.Keys, read.Linears.Keys);
            foreach (var (name, weight) in layer.Linears)
            {
                AssertEqual(weight, read.Linears[name]);
            }

            AssertThrows(DiagnosticCodes.ArtifactInvalid, () => LayerFile.Read(path, 3, Qwen25Decoder.Describe(_config)));
            AssertThrows(DiagnosticCodes.ArtifactInvalid, () => LayerFile.Read(path, 4, Qwen25Decoder.Describe(_config with { IntermediateSize = 896 })));
        }
    }

    [Fact]
    public void A_layer_file_that_lacks_what_the_manifest_lists_leaves_no_artifact()
    {
        var layer = RandomLayer.Create(0, 0, _config, QuantizationScheme.W4A8);
        LayerFile.Write(_folder.File("layer-0"), layer with { Linears = layer.Linears.Where(linear => linear.Key != Linear).ToDictionary() });
        var manifest = RandomLayer.Manifest([RandomLayer.Describe(layer, _config)]);
        AssertThrows(DiagnosticCodes.ArtifactInvalid, () => ArtifactWriter.Write(_folder.Path, manifest, _checkpoint, [_folder.File("layer-0")]));
        Assert.Equal([_folder.File("layer-0")], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public void A_cancelled_write_leaves_nothing()
    {
        var layer = RandomLayer.Create(0, 0, _config, QuantizationScheme.W4A8);
        LayerFile.Write(_folder.File("layer-0"), layer);
        var manifest = RandomLayer.Manifest([RandomLayer.Describe(layer, _config)]);
        Assert.Throws<OperationCanceledException>(() => ArtifactWriter.Write(_folder.Path, manifest, _checkpoint, [_folder.File("layer-0")], cancellationToken: new CancellationToken(true)));
        Assert.Equal([_folder.File("layer-0")], Directory.GetFiles(_folder.Path));
    }

    private static void AssertEqual(QuantizedWeight expected, QuantizedWeight actual)
    {
        Assert.Equal((expected.Scheme, expected.Outputs, expected.Inputs), (actual.Scheme, actual.Outputs, actual.Inputs));
        Assert.True(expected.Codes.Span.SequenceEqual(actual.Codes.Span));
        Assert.True(expected.Scales.Span.SequenceEqual(actual.Scales.Span));
        Assert.True(expected.ZeroPoints.Span.SequenceEqual(actual.ZeroPoints.Span));
        Assert.True(expected.GroupScales.Span.SequenceEqual(actual.GroupScales.Span));
        Assert.True(expected.Bias.Span.SequenceEqual(actual.Bias.Span));
        Assert.Equal(expected.Patches.Length, actual.Patches.Length);
        foreach (var (one, other) in expected.Patches.Zip(actual.Patches))
        {
            Assert.Equal(one?.L1.Data, other?.L1.Data);
            Assert.Equal(one?.L2.Data, other?.L2.Data);
            Assert.Equal(one?.Rank, other?.Rank);
        }
    }

    private static MASQuantException AssertThrows(string code, Action action)
    {
        var error = Assert.Throws<MASQuantException>(action);
        Assert.Equal(code, error.Code);
        return error;
    }

    private QuantizedLayer[] Layers() => [.. Enumerable.Range(0, 2).Select(i => RandomLayer.Create(i, i, _config, QuantizationScheme.W4A8))];

    private string Write(IReadOnlyList<QuantizedLayer> layers)
    {
        using var work = new TemporaryDirectory();
        foreach (var layer in layers)
        {
            LayerFile.Write(work.File($"{layer.Index}"), layer);
        }

        var manifest = ArtifactWriter.Write(
            _folder.Path,
            RandomLayer.Manifest([.. layers.Select(layer => RandomLayer.Describe(layer, _config))]) with { Options = Options(layers) },
            _checkpoint,
            [.. layers.Select(layer => work.File($"{layer.Index}"))]);
        return _folder.File(manifest.Artifact);
    }

    private static Dictionary<string, string> Options(IEnumerable<QuantizedLayer> layers)
        => new() { ["GroupSize"] = layers.Any(layer => layer.Linears.Values.Any(weight => !weight.GroupScales.IsEmpty)) ? "128" : "0" };

    private static void Rewrite(string path, Func<IEnumerable<TensorPayload>, IEnumerable<TensorPayload>> change, Dictionary<string, string>? metadata = null)
    {
        using var file = SafetensorsFile.Open(path);
        SafetensorsWriter.Write(path, change(file.Tensors.Select(tensor => TensorPayload.From(file, tensor))), metadata ?? file.Metadata);
    }

    private static void AssertEqual(InputTransform expected, InputTransform actual)
    {
        Assert.Equal(expected.InverseSmoothing, actual.InverseSmoothing);
        Assert.Equal(expected.RotationBlock, actual.RotationBlock);
        Assert.Equal(expected.Clips, actual.Clips);
    }
}
