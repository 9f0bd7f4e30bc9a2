using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using MASQuant.Bench.Cuda;
using MASQuant.Tests;

namespace MASQuant.Cuda.Tests.Bench;

/// <summary>PyTorch is compared on the same shapes: the script's tables are the benchmark's.</summary>
public sealed class CompareTorchTests
{
    private static readonly string Script = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "bench", "compare_torch.py"));

    [Fact]
    public void The_models_are_the_same()
    {
        var models = Regex.Matches(Line("MODELS"), @"""(\w+)"": \(([\d, ]+)\)").Select(match => (match.Groups[1].Value, Numbers(match.Groups[2].Value)));
        Assert.Equal(
            BenchPlan.Full.Models.Select(model => (model.Name, (int[])[model.Config.HiddenSize, model.Config.Layers, model.Config.IntermediateSize, model.Config.AttentionHeads, model.Config.KeyValueHeads])), models);
        Assert.All(BenchPlan.Full.Models, model => Assert.Equal([model.Config.VocabularySize], Numbers(Line("VOCABULARY"))));
        Assert.All(BenchPlan.Full.Models, model => Assert.Equal(model.Config.RmsNormEpsilon, float.Parse(Line("EPSILON"), CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void The_plan_is_the_same()
    {
        var plan = BenchPlan.Full;
        Assert.Equal(plan.Tokens.All, Numbers(Line("TOKENS")));
        Assert.Equal([plan.Prompt], Numbers(Line("PROMPT")));
        Assert.Equal(plan.Batches, Numbers(Line("BATCHES")));
        Assert.Equal([plan.Replays], Numbers(Line("REPLAYS")));
        Assert.Equal(Results.Columns.Split(','), Regex.Matches(Line("COLUMNS"), @"""(\w+)""").Select(match => match.Groups[1].Value));
    }

    [SkippableFact]
    public void The_linears_are_the_same()
    {
        var output = Python("import compare_torch as c\nfor name in c.MODELS:\n  for shape in c.linears(name): print(*shape, sep=',')");
        Skip.If(output is null, "python3 is not installed");
        Assert.Equal(BenchPlan.Full.Models.SelectMany(model => model.Linears).Select(linear => $"{linear.Name},{linear.Outputs},{linear.Inputs}"), output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    private static string Line(string name) => Regex.Match(Script, $@"^{name} = (.*)$", RegexOptions.Multiline).Groups[1].Value;

    private static int[] Numbers(string text) => [.. Regex.Matches(text, @"\d+").Select(match => int.Parse(match.Value, CultureInfo.InvariantCulture))];

    /// <summary>What a program beside the script writes; null without an interpreter.</summary>
    private static string? Python(string program)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("python3", ["-B", "-c", program]) { RedirectStandardOutput = true, WorkingDirectory = Path.Combine(RepositoryFiles.Root, "bench") })!;
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            Assert.Equal(0, process.ExitCode);
            return output;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return null;
        }
    }
}
