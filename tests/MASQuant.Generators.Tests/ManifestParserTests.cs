using System.Text.RegularExpressions;
using MASQuant.Generators.Json;
using MASQuant.Tests;

namespace MASQuant.Generators.Tests;

public class ManifestParserTests
{
    [Theory]
    [InlineData("", "MASQ0710", 1)]
    [InlineData("{", "MASQ0710", 1)]
    [InlineData("{\n  \"formatVersion\": 4,\n  \"model\": 3\n}", "MASQ0710", 3)]
    [InlineData("{\n  \"formatVersion\": 5\n}", "MASQ0711", 2)]
    [InlineData("{\n  \"formatVersion\": 1e999\n}", "MASQ0710", 2)]
    [InlineData("{}\n{}", "MASQ0710", 2)]
    [InlineData("{\"formatVersion\": 2,\n\"name\": \"\\uZZZZ\"}", "MASQ0710", 2)]
    [InlineData("\"open", "MASQ0710", 1)]
    [InlineData("nul", "MASQ0710", 1)]
    public void Malformed_text_is_reported_at_its_line(string text, string code, int line) => AssertProblem(text, code, line);

    [Fact]
    public void Endless_nesting_is_refused() => AssertProblem(new string('[', 100_000), "MASQ0710", 1);

    [Theory]
    [InlineData("\"scheme\": \"W4A8\"", "\"scheme\": \"W4\"")]
    [InlineData("\"outputs\": 256", "\"outputs\": -1")]
    [InlineData("\"outputs\": 256", "\"outputs\": 1.5")]
    [InlineData("\"name\": \"mlp.down_proj\"", "\"name\": \"mlp.up_proj\"")]
    [InlineData("\"name\": \"mlp.down_proj\"", "\"name\": \"down_proj\"")]
    [InlineData("\"group\": \"Down\"", "\"group\": \"Up\"")]
    [InlineData("\"artifact\": \"", "\"artifact\": \"../")]
    [InlineData("\"artifact\": \"", "\"artifact\": \"/etc/")]
    [InlineData("\"index\": 0", "\"index\": 7")]
    [InlineData("\"quantized\": true", "\"quantized\": \"yes\"")]
    [InlineData("\"hiddenSize\"", "\"hidenSize\"")]
    public void A_wrong_value_is_reported_at_its_line(string right, string wrong)
    {
        var text = SampleManifest.Json(SampleManifest.Create());
        Assert.Contains(right, text);
        var edited = new Regex(Regex.Escape(right)).Replace(text, wrong, 1);
        var diagnostic = Assert.Single(Generation.Run("", new ManifestFile("/x.masquant.json", edited)).Diagnostics);
        Assert.Equal("MASQ0710", diagnostic.Id);
        Assert.InRange(diagnostic.Location.GetLineSpan().StartLinePosition.Line, 1, text.Split('\n').Length);
    }

    [Fact]
    public void Text_of_a_manifest_steers_no_log()
    {
        var text = SampleManifest.Json(SampleManifest.Create() with { Artifact = HostileText.Value });
        var message = Assert.Single(Generation.Run("", new ManifestFile("/x.masquant.json", text)).Diagnostics).GetMessage();
        Assert.Contains("\\u001b[2J", message, StringComparison.Ordinal);
        Assert.Empty(HostileText.SteeringParts(message));
    }

    [Fact]
    public void Every_layer_has_the_same_linears()
    {
        var manifest = SampleManifest.Create();
        var shorter = manifest.Layers[1] with { Linears = [.. manifest.Layers[1].Linears.Skip(1)] };
        var text = SampleManifest.Json(manifest with { Layers = [manifest.Layers[0], shorter] });
        Assert.Contains("layer 1 has other linears", Assert.Single(Generation.Run("", new ManifestFile("/x.masquant.json", text)).Diagnostics).GetMessage());
    }

    [Fact]
    public void Escapes_are_read()
        => Assert.Equal("a\"\\/\b\f\n\r\t\u20ACz", JsonParser.Parse("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u20ACz\"").Text);

    private static void AssertProblem(string text, string code, int line)
    {
        var diagnostic = Assert.Single(Generation.Run("", new ManifestFile("/x.masquant.json", text)).Diagnostics);
        Assert.Equal((code, line, "/x.masquant.json"), (diagnostic.Id, diagnostic.Location.GetLineSpan().StartLinePosition.Line + 1, diagnostic.Location.GetLineSpan().Path));
    }
}
