using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Models;
using MASQuant.Formats.Checkpoints;
using MASQuant.Quantization.Tests.Pipeline;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Families;

/// <summary>One object suffices for a family: it is read, prompted, run and quantized by code that has never heard of it.</summary>
public sealed class ImaginedFamilyTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly string _model;

    public ImaginedFamilyTests() => _model = ImaginedCheckpoint.Write(_folder.File("model"));

    private static Prompt Video => new Prompt().Video([.. Golden.Load("vl/video").Files.Take(3)], framesPerSecond: 4).Text("Read.");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Its_tensors_get_canonical_names_and_its_other_parts_are_left_out()
    {
        using var expected = Checkpoint.Open(RepositoryFiles.VlTiny);
        using var checkpoint = Checkpoint.Open(_model, ImaginedCheckpoint.Families);

        Assert.Equal(expected.Tensors.Select(tensor => tensor.Name), checkpoint.Tensors.Select(tensor => tensor.Name));
        Assert.Equal("Imagined1", checkpoint.Family.Name);
    }

    [Fact]
    public void Its_prompts_are_written_its_way()
    {
        using var model = Load(_model);

        var prompt = model.Prepare(Video);

        var ids = prompt.InputIds.Where((id, i) => id != 1213 || prompt.InputIds[i - 1] != id);
        Assert.Equal("<tool_call>user\n0.0 s<|vision_bos|><|VIDEO|><|vision_eos|>0.5 s<|vision_bos|><|VIDEO|><|vision_eos|>Read.</tool_call>\n<tool_call>assistant\n", model.Tokenizer.Decode(ids));
    }

    [Fact]
    public void A_videos_frames_stand_where_its_placeholders_do()
    {
        using var reference = LoadedModel.Load(RepositoryFiles.VlTiny);
        using var model = Load(_model);

        var (expected, prompt) = (reference.Prepare(Video), model.Prepare(Video));

        Assert.Equal(Vision(expected), Vision(prompt));
        Assert.True(Vision(prompt).Length > 0);

        // Each frame begins anew: as many temporal positions as placeholders, none inside a frame.
        var times = Enumerable.Range(0, prompt.InputIds.Length).Where(t => prompt.InputIds[t] == 1213).Select(t => prompt.PositionIds.Time[t]).Distinct();
        Assert.Equal(2, times.Count());

        static float[] Vision(PreparedPrompt prompt)
            => [.. Enumerable.Range(0, prompt.InputIds.Length).Where(t => prompt.Modalities[t] == Modality.Vision).SelectMany(t => prompt.InputEmbeddings.Row(t).ToArray())];
    }

    [Fact]
    public void It_computes_what_its_weights_say()
    {
        using var reference = LoadedModel.Load(RepositoryFiles.VlTiny);
        using var model = Load(_model);
        var prompt = model.Prepare(Video);

        Assert.Equal(reference.Logits(prompt).Data, model.Logits(prompt).Data);
    }

    [Fact]
    public void It_is_quantized_and_its_artifact_answers()
    {
        var job = TinyRun.Job(_folder.Path) with { ModelFolder = _model, Families = ImaginedCheckpoint.Families };

        var manifest = QuantizationPipeline.Run(job);

        Assert.Equal("Imagined1", manifest.Model.Family);
        using var model = Load(TinyRun.ArtifactPath(job));
        Assert.NotEmpty(string.Concat(model.Generate(Video, new GenerationOptions { MaxTokens = 4 })));
    }

    [Fact]
    public void Unregistered_it_is_unknown()
    {
        var error = Assert.Throws<MASQuantException>(() => LoadedModel.Load(_model));

        Assert.Equal(DiagnosticCodes.ArchitectureUnknown, error.Code);
        Assert.Contains("imagined_one", error.Message, StringComparison.Ordinal);
    }

    private static LoadedModel Load(string path) => LoadedModel.Load(path, families: ImaginedCheckpoint.Families);
}
