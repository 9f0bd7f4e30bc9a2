using System.Collections.Concurrent;
using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Tests.Artifacts;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Schemes;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>An artifact's decoder against one composed by hand of the same layers over the backend that defines results.</summary>
public sealed class QuantizedDecoderTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly Checkpoint _checkpoint = Checkpoint.Open(RepositoryFiles.OmniTiny);
    private readonly TextConfig _config = ModelConfigReader.ReadFolder(RepositoryFiles.OmniTiny).Text;
    private readonly Prompt _prompt = GoldenPrompt.Of(Golden.Load("omni/image-audio"));

    [Theory]
    [InlineData("W4A8")]
    [InlineData("W4A16")]
    public void Equals_its_layers_composed(string schemeName)
    {
        Assert.True(QuantizationScheme.TryParse(schemeName, out var scheme));
        QuantizedLayer[] layers = [.. Enumerable.Range(0, 2).Select(i => RandomLayer.Create(i, i, _config, scheme))];
        using var model = LoadedModel.Load(Write(layers));
        Assert.NotNull(model.Artifact);

        var decoder = TinyDecoder.Read(_checkpoint, _config);
        decoder = decoder with { Blocks = [.. decoder.Blocks.Select((block, i) => i < layers.Length ? Compose(block, layers[i], new ScalarGemmBackend()) : block)] };
        var prompt = model.Prepare(_prompt);
        var logits = model.Logits(prompt).Span.ToArray();

        Assert.All(logits, logit => Assert.True(float.IsFinite(logit)));
        Assert.Equal(new Engine.Generation.DecoderSession(decoder).Logits(prompt, ..).Span.ToArray(), logits);
    }

    [Fact]
    public async Task Threads_in_one_group_work_in_memory_of_their_own()
    {
        using var backend = new MeetingBackend();
        var layer = RandomLayer.Create(0, 0, _config, QuantizationScheme.W4A8);
        var group = new QuantizedLinearGroup([layer.Linears["mlp.down_proj"]], layer.Inputs[InputGroup.Down], backend);
        group.Forward(Input(), ModalityMap.Text(1), [new Matrix(1, _config.HiddenSize)]);

        await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Factory.StartNew(
            () => group.Forward(Input(), ModalityMap.Text(1), [new Matrix(1, _config.HiddenSize)]), default, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

        Assert.Equal(2, backend.Seen.Skip(1).Distinct().Count());
        Assert.Equal(2, backend.Seen.Distinct().Count()); // The first call's was lent again.

        Matrix Input() => new(1, _config.IntermediateSize);
    }

    [Fact]
    public void A_layer_of_another_shape_or_scheme_than_its_model_is_refused()
    {
        // Both artifacts agree with their manifests, not with config.json.
        var narrow = RandomLayer.Create(0, 0, _config with { IntermediateSize = 640 }, QuantizationScheme.W4A8);
        AssertInvalid(Write([narrow], _config with { IntermediateSize = 640 }));

        var mixed = RandomLayer.Create(0, 0, _config, QuantizationScheme.W4A8);
        var other = RandomLayer.Create(0, 0, _config, QuantizationScheme.W8A8);
        AssertInvalid(Write([mixed with { Linears = mixed.Linears.ToDictionary(l => l.Key, l => l.Key == "self_attn.k_proj" ? other.Linears[l.Key] : l.Value) }]));
    }

    public void Dispose()
    {
        _checkpoint.Dispose();
        _folder.Dispose();
    }

    private static void AssertInvalid(string path)
        => Assert.Equal(DiagnosticCodes.ArtifactInvalid, Assert.Throws<MASQuantException>(() => LoadedModel.Load(path)).Code);

    internal static TransformerBlock Compose(TransformerBlock block, QuantizedLayer layer, IGemmBackend backend)
    {
        foreach (var group in block.Description.Groups)
        {
            var weights = block.Description.LinearsOf(group).Select(linear => layer.Linears[linear.Name]);
            block = block.With(group, new QuantizedLinearGroup([.. weights], layer.Inputs[group], backend));
        }

        return block;
    }

    private string Write(IReadOnlyList<QuantizedLayer> layers, TextConfig? config = null)
    {
        string[] files = [.. layers.Select(layer => _folder.File($"layer-{layer.Index}"))];
        foreach (var (layer, file) in layers.Zip(files))
        {
            LayerFile.Write(file, layer);
        }

        var manifest = RandomLayer.Manifest([.. layers.Select(layer => RandomLayer.Describe(layer, config ?? _config))]);
        return _folder.File(ArtifactWriter.Write(_folder.Path, manifest, _checkpoint, files).Artifact);
    }

    /// <summary>Holds the second and third caller until both are inside, and notes whose memory they bring.</summary>
    private sealed class MeetingBackend : IGemmBackend, IDisposable
    {
        private readonly CountdownEvent _callers = new(3);

        public ConcurrentQueue<PreparedTokens> Seen { get; } = [];

        public void Prepare(Matrix x, ModalityMap modalities, InputTransform input, QuantizationScheme scheme, PreparedTokens tokens)
        {
            Seen.Enqueue(tokens);
            _callers.Signal();
            if (_callers.CurrentCount < 2)
            {
                _callers.Wait();
            }
        }

        public void Multiply(PreparedTokens tokens, QuantizedWeight weight, Matrix y)
        {
        }

        public void Dispose() => _callers.Dispose();
    }
}
