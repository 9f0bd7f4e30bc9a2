using MASQuant.Tests;

namespace MASQuant.Cli.Tests.Layouts;

/// <summary>Every layout of a checkpoint that tools write: it answers as the hub's does, before and after quantization, or is refused before any work by a code that names the remedy.</summary>
public sealed class LayoutTests(HubAnswers hub) : IClassFixture<HubAnswers>, IDisposable
{
    private static readonly Dictionary<string, (string Code, string Remedy)> Refusals = new()
    {
        ["vl3-adapter"] = ("MASQ0113", "Merge it into the model first"),
        ["vl3-awq"] = ("MASQ0205", "Take the original checkpoint"),
        ["vl3-bnb4"] = ("MASQ0205", "Take the original checkpoint"),
        ["vl3-mlx"] = ("MASQ0112", "Take the original checkpoint"),
        ["vl3-peft"] = ("MASQ0112", "Merge them"),
        ["vl3-nohead-untied"] = ("MASQ0107", "set tie_word_embeddings to true"),
    };

    // Their answers are others, as they should be.
    private static readonly string[] Different = ["vl3-lora-head-untied", "vl7-yarn"];

    private readonly TemporaryDirectory _folder = new();

    public static TheoryData<string> Same => [.. LayoutCheckpoint.Names.Except(Refusals.Keys).Except(Different)];

    public static TheoryData<string> Refused => [.. Refusals.Keys];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Same))]
    public void It_answers_as_the_hubs_layout(string layout)
    {
        LayoutCheckpoint.Write(layout, _folder.File(layout));
        AssertAnswersAsHub(layout, _folder.File(layout));
    }

    [SkippableFact]
    public void A_snapshot_of_the_hubs_cache_answers_the_same()
    {
        Skip.If(OperatingSystem.IsWindows(), "Links need a privilege there.");
        AssertAnswersAsHub("vl3-hub", LayoutCheckpoint.WriteAsHubCache("vl3-hub", _folder.File("models--vl3")));
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void It_is_refused_before_any_work(string layout)
    {
        var (folder, (code, remedy)) = (_folder.File(layout), Refusals[layout]);
        LayoutCheckpoint.Write(layout, folder);
        foreach (var run in (CommandRun[])[HubAnswers.Plan(layout, folder), HubAnswers.Quantize(layout, folder, _folder.File("out")), HubAnswers.Run(layout, folder)])
        {
            Assert.Equal(1, run.ExitCode);
            Assert.Contains($"error {code}: ", run.Error, StringComparison.Ordinal);
            Assert.Contains(remedy, run.Error, StringComparison.Ordinal);
            Assert.Empty(run.Output);
        }

        Assert.False(Directory.Exists(_folder.File("out")));
    }

    /// <summary>A head that was trained beside an embedding that the configuration ties to it: the head is used, as if the configuration said so.</summary>
    [Fact]
    public void A_head_of_its_own_is_used_and_told_of()
    {
        const string Layout = "vl3-lora-head-untied";
        var (tied, untied) = (_folder.File("tied"), _folder.File("untied"));
        LayoutCheckpoint.Write(Layout, tied);
        LayoutCheckpoint.Write(Layout, untied);
        var config = Path.Combine(untied, "config.json");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false", StringComparison.Ordinal));
        var (said, told) = (HubAnswers.Plan(Layout, untied), HubAnswers.Plan(Layout, tied));
        Assert.DoesNotContain("MASQ0206", said.Error, StringComparison.Ordinal);
        Assert.Contains($"{tied}: warning MASQ0206: ", told.Error, StringComparison.Ordinal);
        Assert.Contains("warning MASQ0206: ", HubAnswers.Quantize(Layout, tied, _folder.File("out")).Error, StringComparison.Ordinal);
        Assert.Equal(HubAnswers.Run(Layout, untied).Output, HubAnswers.Run(Layout, tied).Output);
        Assert.NotEqual(hub.Of(Layout).Whole.Output, HubAnswers.Run(Layout, tied).Output);
    }

    /// <summary>A chat template that is not known is told of once by each command, and changes nothing; one that an artifact takes along is told of by it too.</summary>
    [Fact]
    public void An_unknown_chat_template_is_told_of()
    {
        const string Layout = "vl3-hub";
        var model = _folder.File("model");
        LayoutCheckpoint.Write(Layout, model);
        File.WriteAllText(Path.Combine(model, "chat_template.json"), """{"chat_template": "{{ messages }}"}""");
        var quantize = HubAnswers.Quantize(Layout, model, _folder.File("out"));
        var run = HubAnswers.Run(Layout, model);
        var quantized = HubAnswers.Run(Layout, _folder.File("out/M.masquant.safetensors"));
        Assert.All([HubAnswers.Plan(Layout, model), quantize, run, quantized], told => Assert.Single(told.Error.Split('\n'), line => line.Contains("chat_template.json: warning MASQ0207: ", StringComparison.Ordinal)));
        Assert.Equal((hub.Of(Layout).Whole.Output, hub.Of(Layout).Quantized.Output), (run.Output, quantized.Output));
        Assert.DoesNotContain("MASQ0207", hub.Of(Layout).Whole.Error, StringComparison.Ordinal);
    }

    /// <summary>YaRN, as the model's page says to ask for it, before and after quantization; what it computes is compared with the reference's goldens.</summary>
    [Fact]
    public void Yarn_is_read()
    {
        LayoutCheckpoint.Write("vl7-yarn", _folder.File("yarn"));
        var (whole, quantized) = HubAnswers.Ask("vl7-yarn", _folder.File("yarn"), _folder.File("out"));
        Assert.Equal((0, 0), (whole.ExitCode, quantized.ExitCode));
    }

    private void AssertAnswersAsHub(string layout, string folder)
    {
        var inspect = CommandRun.Of("inspect", folder);
        Assert.True(inspect.ExitCode == 0, inspect.Error);
        var plan = HubAnswers.Plan(layout, folder);
        Assert.True(plan.ExitCode == 0, plan.Error);
        Assert.DoesNotContain("warning", plan.Error, StringComparison.Ordinal);
        var (whole, quantized) = HubAnswers.Ask(layout, folder, _folder.File("out"));
        Assert.True(whole.ExitCode == 0, whole.Error);
        Assert.True(quantized.ExitCode == 0, quantized.Error);
        Assert.Equal(hub.Of(layout).Whole.Output, whole.Output);
        Assert.Equal(hub.Of(layout).Quantized.Output, quantized.Output);
        Assert.NotEmpty(whole.Output.Trim());
    }
}
