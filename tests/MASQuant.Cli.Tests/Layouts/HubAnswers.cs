using System.Collections.Concurrent;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests.Layouts;

/// <summary>What the layout of the hub answers, in full precision and quantized: every other layout of its model is to answer the same.</summary>
public sealed class HubAnswers : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private readonly ConcurrentDictionary<string, (CommandRun Whole, CommandRun Quantized)> _answers = new();

    internal (CommandRun Whole, CommandRun Quantized) Of(string layout)
    {
        var hub = layout.StartsWith("omni", StringComparison.Ordinal) ? "omni-hub" : layout[..3] + "-hub";
        return _answers.GetOrAdd(hub, name =>
        {
            LayoutCheckpoint.Write(name, _folder.File(name));
            return Ask(name, _folder.File(name), _folder.File(name + "-out"));
        });
    }

    /// <summary>Runs a checkpoint, quantizes it, and runs the artifact.</summary>
    internal static (CommandRun Whole, CommandRun Quantized) Ask(string layout, string checkpoint, string output)
    {
        var whole = Run(layout, checkpoint);
        var quantize = Quantize(layout, checkpoint, output);
        Assert.True(quantize.ExitCode == 0, quantize.Error);
        return (whole, Run(layout, Path.Combine(output, "M.masquant.safetensors")));
    }

    internal static CommandRun Run(string layout, string model)
    {
        string[] sound = Hears(layout) ? ["--audio", RepositoryFiles.Data("media/calib-asr-000.wav")] : [];
        return CommandRun.Of(["run", model, "--image", RepositoryFiles.Data("media/calib-ocr-025.png"), .. sound, "--max-tokens", "16", "Read the digits."]);
    }

    internal static CommandRun Quantize(string layout, string checkpoint, string output)
        => CommandRun.Of("quantize", checkpoint, "--calibration", Calibration(layout), "--samples", "4", "--scheme", "W8A8", "--epochs", "0", "--rank", "2", "--name", "M", "--output", output, "--cache", "none");

    internal static CommandRun Plan(string layout, string checkpoint) => CommandRun.Of("plan", checkpoint, "--calibration", Calibration(layout));

    // The set without sound has text and images alone, as the model that does not hear.
    private static string Calibration(string layout) => RepositoryFiles.Data(Hears(layout) ? "calibration.jsonl" : "calibration-vision.jsonl");

    private static bool Hears(string layout) => layout.StartsWith("omni", StringComparison.Ordinal);

    public void Dispose() => _folder.Dispose();
}
