using System.Collections.Concurrent;
using MASQuant.Quantization.Options;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Pipeline;

/// <summary>An option that does nothing would leave the artifact as it is; the manifest, which names the option, is left out of the comparison.</summary>
[Trait("Lane", "slow")]
public class OptionEffectTests
{
    private const string Base = "Epochs=0|Rank=4|DeviatingChannels=2|Clipping=Rounding|Alternations=0|ModalityWeights=1,1,1";

    private static readonly ConcurrentDictionary<string, Lazy<string>> Known = new();

    /// <summary>An option, a value other than the base's, and what else the base needs for the option to have a say.</summary>
    public static TheoryData<string, string, string> Changes() => new()
    {
        { "Method", "SmoothQuant", "" },
        { "Scheme", "W8A8", "" },
        { "Effort", "Best", "Epochs=auto|Alternations=auto" },
        { "FirstBlock", "Scheme", "" },
        { "LayerSchemes", "1.Down:W8A8", "" },
        { "Head", "W8", "" },
        { "Towers", "W8", "" },
        { "Smoothing", "Uniform", "" },
        { "MigrationStrength", "0.4", "Smoothing=Uniform" },
        { "Epochs", "1", "" },
        { "LearningRate", "0.01", "Epochs=1" },
        { "Rotation", "Down", "" },
        { "Rotation", "None", "" },
        { "DeviatingChannels", "0", "" },
        { "WeightQuantizer", "Rtn", "" },
        { "GroupSize", "128", "" },
        { "Clipping", "None", "" },
        { "Clipping", "Output", "" },
        { "ActivationClipping", "false", "Scheme=W4A4" },
        { "Compensation", "None", "" },
        { "Compensation", "Weight", "" },
        { "Rank", "2", "" },
        { "RankRatio", "0.2", "RankRatio=0.1" },
        { "PatchBytes", "4096", "" },
        { "LayerRanks", "1:8", "" },
        { "Alternations", "1", "" },
        { "CompensateDown", "false", "" },
        { "ModalityWeights", "1,0.1,1", "" },
        { "ModalityWeights", "auto", "" },
        { "MinPixels", "50176", "" },
        { "MaxPixels", "3136", "" },
        { "MaxFramesPerSecond", "1", "" },
        { "MaxFrames", "2", "" },
        { "Seed", "1", "Epochs=1" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Every_option_changes_what_is_stored(string option, string value, string needs)
    {
        var words = (Base + "|" + needs).Split('|', StringSplitOptions.RemoveEmptyEntries).Select(word => word.Split('=')).GroupBy(word => word[0]).ToDictionary(word => word.Key, word => word.Last()[1]);
        var before = Tensors(words);
        if (option == "Method")
        {
            words.Clear(); // What is given beside a preset wins.
        }

        words[option] = value;
        Assert.NotEqual(before, Tensors(words));
    }

    // Compute needs a package; MASQuant.Torch.Tests has its effect. GuessHead needs a checkpoint with one; GuessHeadTests has its.
    [Fact]
    public void Every_option_of_the_table_is_changed()
        => Assert.Equal(OptionTable.All.Select(option => option.Name).Where(name => name is not ("Compute" or "GuessHead")), Changes().Select(change => (string)change[0]).Distinct());

    // Six frames, three seconds.
    private static void AddVideo(TemporaryDirectory folder, string calibration)
    {
        string[] frames = [.. Golden.Load("vl/video").Files.Concat(Golden.Load("vl/video").Files.Reverse()).Take(6)];
        foreach (var (number, frame) in frames.Index())
        {
            File.Copy(frame, folder.File($"{number}.png"));
        }

        File.AppendAllLines(calibration, ["""{"messages": [{"role": "user", "content": [{"type": "video", "video": ["0.png", "1.png", "2.png", "3.png", "4.png", "5.png"], "fps": 2}, {"type": "text", "text": "Read."}]}, {"role": "assistant", "content": "7"}]}"""]);
    }

    private static string Tensors(Dictionary<string, string> words)
        => Known.GetOrAdd(string.Join('|', words.OrderBy(word => word.Key, StringComparer.Ordinal)), _ => new Lazy<string>(() =>
        {
            using var folder = new TemporaryDirectory();
            var job = TinyRun.Job(folder.Path, OptionTable.Read(words));
            AddVideo(folder, job.CalibrationFile);
            QuantizationPipeline.Run(job);
            return TinyRun.TensorHash(job);
        })).Value;
}
