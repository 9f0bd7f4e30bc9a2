using System.Text.Json;
using System.Text.RegularExpressions;
using MASQuant.Tests;

namespace MASQuant.Build.Tests;

/// <summary>The sample workflow does what docs/ci.md says: its own commands run here, each job in a clone of its own.</summary>
[Trait("Lane", "build")]
public partial class BuildServerTests
{
    [Fact]
    public void Every_model_is_quantized_by_its_job_and_the_build_quantizes_nothing()
    {
        var workflow = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "samples", "ci", "github-actions.yml"));
        using var keys = Clone();
        RunJob(keys, workflow, "keys", "");
        using var output = JsonDocument.Parse(File.ReadAllText(keys.InFolder("output.txt"))["models=".Length..]);
        var models = output.RootElement.GetProperty("Items").GetProperty("MASQuantPreparedModel").EnumerateArray()
            .Select(model => (Name: model.GetProperty("Identity").GetString()!, Key: model.GetProperty("MASQuantKey").GetString()!)).ToArray();
        Assert.Equal(["Model", "OtherModel"], models.Select(model => model.Name));
        Assert.NotEqual(models[0].Key, models[1].Key);

        using var build = Clone();
        foreach (var (name, _) in models)
        {
            using var job = Clone();
            Assert.Equal([name], RunJob(job, workflow, "quantize", name).Quantized);
            Assert.Equal([], RunJob(job, workflow, "quantize", name).Quantized); // the next run finds its cache
            Folders.Copy(job.InFolder("masquant-cache"), build.InFolder("masquant-cache")); // what download-artifact merges
        }

        Assert.Equal([], RunJob(build, workflow, "build", "").Quantized);
        Assert.Equal(["Model.masquant.safetensors", "OtherModel.masquant.safetensors"],
            Directory.EnumerateFiles(build.InFolder("published/models"), "*.safetensors").Select(Path.GetFileName).Order());
    }

    private static BuildCase Clone()
    {
        var project = BuildCase.Open("TwoModels");
        project.LogBuilds();
        project.Write("other-model/config.json", "{}");
        project.Write("other-model/model.safetensors", "other weights");
        return project;
    }

    // What a runner does with a job's `run:` lines.
    private static BuildLog RunJob(BuildCase clone, string workflow, string job, string model)
    {
        var text = Regex.Match(workflow, $@"(?<=\n  {job}:\n)(    .*\n|\n)*").Value;
        var commands = RunLine().Matches(text).Select(match => match.Groups["command"].Value.Replace("${{ matrix.model.Identity }}", model)).Where(command => !command.StartsWith("git lfs", StringComparison.Ordinal)).ToArray();
        Assert.NotEmpty(commands);
        foreach (var command in commands)
        {
            Assert.DoesNotContain("${{", command);
            var (exitCode, output) = Command.Run(clone.Folder, "bash", ["-e", "-c", command], new Dictionary<string, string?>
            {
                ["APP"] = ".",
                ["GITHUB_OUTPUT"] = clone.InFolder("output.txt"),
                ["MASQuantCacheDirectory"] = clone.InFolder("masquant-cache"),
            });
            Assert.True(exitCode == 0, command + "\n" + output);
        }

        return clone.TakeLogs();
    }

    [GeneratedRegex(@"^ +(- )?run: (?<command>.*)$", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex RunLine();
}
