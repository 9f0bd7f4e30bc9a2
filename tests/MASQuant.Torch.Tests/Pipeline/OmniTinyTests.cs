using System.Security.Cryptography;
using MASQuant.Engine.Execution;
using MASQuant.Evaluation.Scores;
using MASQuant.Quantization;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;
using MASQuant.Tests;

namespace MASQuant.Torch.Tests.Pipeline;

/// <summary>The trained model, quantized by libtorch on the processor.</summary>
public sealed class OmniTinyTests : IDisposable
{
    private static readonly ComputeAssembly Torch = new(typeof(TorchProvider).Assembly.Location);
    private readonly TemporaryDirectory _folder = new();

    [TorchTheory]
    [InlineData("W4A8", "Standard")]
    [InlineData("W4A8", "Fast")]
    [InlineData("W4A4", "Standard")]
    public void Divergence_lies_in_the_interval_of_managed_code(string scheme, string effort)
        => Assert.Equal([Modality.Text, Modality.Vision, Modality.Audio], Alike(job => job with { Options = OptionTable.Read(new Dictionary<string, string> { ["Scheme"] = scheme, ["Effort"] = effort, ["Compute"] = "Torch:cpu" }) }, _ => true));

    /// <summary>Normed heads, and rows of the vision tower for the first blocks, in learning too.</summary>
    [SkippableFact]
    public void So_it_does_with_Qwen3_VL()
    {
        Skip.If(TorchFactAttribute.Reason.Value is not null, TorchFactAttribute.Reason.Value);
        var model = FamilyFixtures.Model(FamilyFixtures.Qwen3VL);
        Assert.Equal([Modality.Text, Modality.Vision], Alike(job => job with { ModelFolder = model, CalibrationFile = RepositoryFiles.Data("calibration-vision.jsonl") }, task => task is "ocr" or "text"));
    }

    /// <summary>Twice in processes of their own, with as many threads as the environment leaves to us and to libtorch; the second run in another folder.</summary>
    [TorchFact]
    public void The_same_device_gives_the_same_bytes()
    {
        var first = Tool("one", "2", "2");
        Assert.Equal(first, Tool("two", "1", "1"));
        Assert.Equal(first, Tool("three", "3", "5"));
    }

    [TorchFact]
    public void Another_compute_gives_another_key_and_other_bytes()
    {
        var torch = Job("torch", "W4A8", 8);
        var managed = Managed(Job("managed", "W4A8", 8));
        Assert.NotEqual(QuantizationPipeline.KeyOf(managed), QuantizationPipeline.KeyOf(torch));
        Assert.Equal(QuantizationPipeline.KeyOf(managed), QuantizationPipeline.KeyOf(managed with { ComputeAssembly = null }));

        var other = Path.Combine(_folder.Path, "MASQuant.Torch.dll");
        File.Copy(typeof(ComputeAssembly).Assembly.Location, other);
        Assert.NotEqual(QuantizationPipeline.KeyOf(torch), QuantizationPipeline.KeyOf(torch with { ComputeAssembly = new ComputeAssembly(other) }));

        QuantizationPipeline.Run(torch);
        QuantizationPipeline.Run(managed);
        Assert.NotEqual(Tensors(managed), Tensors(torch));
    }

    /// <summary>Rounded to nearest and without patches, nothing but the learned factors differs.</summary>
    [TorchFact]
    public void Factors_are_learned_on_libtorch()
    {
        var torch = Job("torch", "W4A4", 8);
        torch = torch with { Options = OptionTable.Read(new Dictionary<string, string> { ["Method"] = "MAS", ["Scheme"] = "W4A4", ["Epochs"] = "1", ["Compute"] = "Torch:cpu" }) };
        var managed = Managed(torch with { OutputFolder = _folder.File("managed"), WorkFolder = _folder.File("managed-work") });
        QuantizationPipeline.Run(torch);
        QuantizationPipeline.Run(managed);
        Assert.NotEqual(Tensors(managed), Tensors(torch));

        torch = Unlearned(torch);
        managed = Unlearned(managed);
        QuantizationPipeline.Run(torch);
        QuantizationPipeline.Run(managed);
        Assert.Equal(Tensors(managed), Tensors(torch));
    }

    [SkippableFact]
    public void Without_a_device_cuda_names_the_package_and_leaves_nothing()
    {
        Skip.If(TorchFactAttribute.Reason.Value is not null, TorchFactAttribute.Reason.Value);
        Skip.If(global::TorchSharp.torch.cuda_is_available(), "There is a CUDA device.");
        var job = Job("cuda", "W4A8", 8);
        job = job with { Options = job.Options with { Compute = ComputeKind.TorchCuda } };
        var problem = Assert.Throws<MASQuantException>(() => QuantizationPipeline.Run(job));
        Assert.Equal("MASQ0518", problem.Code);
        Assert.Contains("TorchSharp-cuda-", problem.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(job.OutputFolder));
    }

    public void Dispose() => _folder.Dispose();

    // Both models on the same answers; of two draws of one distribution the 95 % intervals lie apart in fewer than one case of a hundred.
    private Modality[] Alike(Func<QuantizationJob, QuantizationJob> change, Func<string, bool> tasks)
    {
        var (torch, managed) = (change(Job("torch", "W4A4", 16)), Managed(change(Job("managed", "W4A4", 16))));
        QuantizationPipeline.Run(torch);
        QuantizationPipeline.Run(managed);
        using var reference = LoadedModel.Load(torch.ModelFolder);
        using var one = LoadedModel.Load(Artifact(torch));
        using var other = LoadedModel.Load(Artifact(managed));
        var conversations = ConversationFile.Read(RepositoryFiles.Data("eval.jsonl")).GroupBy(conversation => conversation.Task).Where(task => tasks(task.Key)).SelectMany(task => task.Take(8)).ToArray();
        var results = new ModelEvaluation(reference, [one, other], maxTokens: 0).Run(conversations, ["reference", "torch", "managed"], null, default);
        foreach (var (found, expected) in results[1].Modalities.Zip(results[2].Modalities))
        {
            Assert.True(found.KullbackLeibler.Own.Low <= expected.KullbackLeibler.Own.High, $"{found.Modality}: {found.KullbackLeibler.Own}, managed {expected.KullbackLeibler.Own}");
            Assert.True(found.KullbackLeibler.Own.Value > 0);
        }

        return [.. results[1].Modalities.Select(modality => modality.Modality)];
    }

    private static string Artifact(QuantizationJob job) => Path.Combine(job.OutputFolder, "OmniTiny.masquant.safetensors");

    private static QuantizationJob Unlearned(QuantizationJob job) => job with { OutputFolder = job.OutputFolder + "-unlearned", WorkFolder = job.WorkFolder + "-unlearned", Options = job.Options with { GivenEpochs = 0 } };

    // Without the manifest, which names what computed.
    private static byte[] Tensors(QuantizationJob job)
    {
        using var artifact = Formats.Artifacts.Artifact.Open(Artifact(job));
        return [.. artifact.Tensors.SelectMany(tensor => artifact.Bytes(tensor.Name).ToArray())];
    }

    private static QuantizationJob Managed(QuantizationJob job) => job with { Options = job.Options with { Compute = ComputeKind.Managed } };

    private QuantizationJob Job(string folder, string scheme, int samples) => new()
    {
        ModelFolder = RepositoryFiles.OmniTiny,
        CalibrationFile = RepositoryFiles.Data("calibration.jsonl"),
        Subset = new CalibrationSubset(samples, 1),
        OutputFolder = _folder.File(folder),
        WorkFolder = _folder.File(folder + "-work"),
        Name = "OmniTiny",
        Options = OptionTable.Read(new Dictionary<string, string> { ["Scheme"] = scheme, ["Compute"] = "Torch:cpu" }),
        ComputeAssembly = Torch,
    };

    // Epochs and alternations, so that every step on libtorch has its say.
    private string Tool(string folder, string processors, string libtorchThreads)
    {
        var output = TestTool.Run(_folder.Path, ["quantize", RepositoryFiles.OmniTiny, "--calibration", RepositoryFiles.Data("calibration.jsonl"), "--samples", "8", "--output", folder, "--cache", "none",
            "--scheme", "W4A4", "--epochs", "1", "--alternations", "1", "--compute", "Torch:cpu", "--compute-assembly", TestTool.Package(_folder)],
            ("DOTNET_PROCESSOR_COUNT", processors), ("OMP_NUM_THREADS", libtorchThreads), ("MKL_NUM_THREADS", libtorchThreads));
        Assert.True(output.ExitCode == 0, output.Error);
        return Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(_folder.File(folder + "/OmniTiny.masquant.safetensors"))));
    }
}
