using System.Text.Json.Nodes;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Tests.Audio;
using MASQuant.Engine.Tests.Vision;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>No number of a configuration makes a small prompt take memory beyond the limits, nor fail without a code.</summary>
public sealed class HostileNumberTests : IDisposable
{
    // What fits no tensor, what fits an int, and what a reader may have let pass as the least.
    private static readonly string[] Values = ["1", "1024", "16384", "1048576", "1073741824"];

    private static readonly ModelLimits Limits = new() { MediumBytes = 1 << 26, ImagePixels = 1 << 22, PromptTokens = 2048 };

    // The tiny model's tables, and what its towers make of as many tokens as the limits allow: 256 values of 4 bytes, a dozen times.
    private const long Most = (1 << 26) + (2048L * 256 * 4 * 12 * 2);

    private readonly TemporaryDirectory _folder = new();

    public static TheoryData<string> Files => ["config.json", "preprocessor_config.json"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Files))]
    public void Numbers_of_a_configuration_cost_what_the_limits_allow(string name)
    {
        foreach (var file in Directory.GetFiles(RepositoryFiles.OmniTiny))
        {
            File.Copy(file, _folder.File(Path.GetFileName(file)));
        }

        var text = File.ReadAllText(_folder.File(name));
        var numbers = JsonMembers.Paths(text).Where(path => IsNumber(text, path)).ToArray();
        Assert.NotEmpty(numbers);
        foreach (var path in numbers)
        {
            foreach (var value in Values)
            {
                File.WriteAllText(_folder.File(name), JsonMembers.WithValue(text, path, value));
                var before = GC.GetAllocatedBytesForCurrentThread();
                var error = Record.Exception(LoadAndPrepare);
                var taken = GC.GetAllocatedBytesForCurrentThread() - before;
                var what = $"{string.Join('.', path)} = {value}";
                Assert.True(error is null or MASQuantException { Code: not "MASQ0924" }, $"{what}: {error}");
                Assert.True(taken < Most, $"{what} takes {taken} bytes: {error?.Message}");
            }
        }
    }

    private static bool IsNumber(string text, string[] path)
        => path.Aggregate(JsonNode.Parse(text), (node, key) => node is JsonArray list ? list[int.Parse(key, System.Globalization.CultureInfo.InvariantCulture)] : node![key]) is JsonValue value && value.GetValueKind() == System.Text.Json.JsonValueKind.Number;

    private void LoadAndPrepare()
    {
        using var model = LoadedModel.Load(_folder.Path, new ModelOptions { Device = "cpu", Limits = Limits });
        _ = model.Prepare(new Prompt().Image(PngFiles.Gray(60, 60)).Audio(WavFiles.Silence(8000)).Text("x"));
    }
}
