using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using MASQuant.Diagnostics;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Artifacts;

public sealed class ManifestFileTests
{
    [Fact]
    public void A_manifest_survives_writing_and_reading()
    {
        var bytes = ManifestFile.Serialize(Example());
        var read = ManifestFile.Parse(bytes, "m");
        Assert.Equal(bytes, ManifestFile.Serialize(read));
        Assert.Equal(("OmniTiny", "W4A8", 128), (read.Name, read.Scheme, read.Calibration!.Samples));
        Assert.Equal(5, read.Layers[0].Linears[0].Ranks["Audio"]);
        Assert.Equal(20.125, read.Layers[0].Linears[0].Sqnr["Text"].Before);
    }

    [Fact]
    public void An_exact_layer_has_a_finite_figure()
        => Assert.Equal(999, ManifestFile.Parse(ManifestFile.Serialize(Example()), "m").Layers[0].Linears[0].Sqnr["Text"].After);

    [Fact]
    public void Neither_the_culture_nor_the_order_of_insertion_shows()
    {
        var manifest = Example();
        var reversed = manifest with { Options = manifest.Options.Reverse().ToDictionary() };
        var expected = ManifestFile.Serialize(manifest);
        var culture = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("") { NumberFormat = new NumberFormatInfo { NumberDecimalSeparator = ",", NegativeSign = "~" } };
            Assert.Equal(expected, ManifestFile.Serialize(reversed));
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }

        Assert.DoesNotContain((byte)'\r', expected);
        Assert.Equal((byte)'\n', expected[^1]);
    }

    [Fact]
    public void Another_version_is_refused_even_with_other_members()
    {
        var error = Assert.Throws<MASQuantException>(() => Parse("""{"formatVersion":5,"all":"new"}"""));
        Assert.Equal(DiagnosticCodes.ArtifactVersion, error.Code);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"formatVersion":"1"}""")]
    [InlineData("""{"formatVersion":4}""")]
    public void A_malformed_manifest_is_refused(string json) => AssertInvalid(json);

    [Theory]
    [InlineData("layers", "null")]
    [InlineData("layers", "[null]")]
    [InlineData("name", "3")]
    [InlineData("artifact", "\"../Other.masquant.safetensors\"")]
    [InlineData("artifact", "\"/etc/passwd\"")]
    [InlineData("artifact", "\"C:\\\\Windows\\\\win.ini\"")]
    [InlineData("layers.0.index", "1")]
    [InlineData("layers.0.linears.0", "null")]
    [InlineData("layers.0.linears.0.outputs", "0")]
    [InlineData("layers.0.linears.0.inputs", "-8")]
    [InlineData("layers.0.linears.0.inputs", "99999999999")]
    [InlineData("layers.0.linears.0.scheme", "\"W5A8\"")]
    [InlineData("layers.0.linears.0.group", "\"Other\"")]
    [InlineData("layers.0.linears.0.ranks", """{"Vision":0}""")]
    [InlineData("layers.0.linears.0.ranks", """{"Smell":1}""")]
    [InlineData("layers.0.linears.0.ranks", """{"1":1}""")]
    public void An_impossible_member_is_refused(string path, string value)
    {
        var root = JsonNode.Parse(ManifestFile.Serialize(Example()))!;
        var keys = path.Split('.');
        var parent = keys[..^1].Aggregate(root, (node, key) => int.TryParse(key, CultureInfo.InvariantCulture, out var i) ? node[i]! : node[key]!);
        if (int.TryParse(keys[^1], CultureInfo.InvariantCulture, out var index))
        {
            parent[index] = JsonNode.Parse(value);
        }
        else
        {
            parent[keys[^1]] = JsonNode.Parse(value);
        }

        AssertInvalid(root.ToJsonString());
    }

    private static void AssertInvalid(string json)
    {
        var error = Assert.Throws<MASQuantException>(() => Parse(json));
        Assert.Equal(DiagnosticCodes.ManifestInvalid, error.Code);
        Assert.Equal("m", error.File);
    }

    private static Manifest Parse(string json) => ManifestFile.Parse(Encoding.UTF8.GetBytes(json), "m");

    private static Manifest Example()
    {
        var config = ModelConfigReader.ReadFolder(RepositoryFiles.OmniTiny).Text;
        return RandomLayer.Manifest([RandomLayer.Describe(RandomLayer.Create(0, 0, config, QuantizationScheme.W4A8), config)]);
    }
}
