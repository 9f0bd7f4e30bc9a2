using System.Text;
using MASQuant.Engine.Gemm;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Schemes;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Artifacts;

/// <summary>Holds the code to the examples of docs/artifact-format.md.</summary>
public sealed class ArtifactFormatDocumentTests
{
    [Theory]
    [InlineData(8, 326, 0xFB, -5, false)]
    [InlineData(4, 134, 0xD0, 5, false)]
    [InlineData(4, 134, 0xD0, 13, true)]
    public void The_worked_example_of_the_packing_holds(int bits, int place, int stored, int code, bool unsigned)
    {
        var packed = new byte[PackingLayout.PackedBytes(32, 16, bits)];
        packed[place] = (byte)stored;
        Assert.Equal(code, PackingLayout.Code(packed, 17, 6, 16, bits, unsigned));

        var codes = new sbyte[32 * 16];
        codes[(17 * 16) + 6] = (sbyte)code;
        var empty = CodePacking.Pack(new sbyte[32 * 16], 32, 16, bits, unsigned);
        var differing = CodePacking.Pack(codes, 32, 16, bits, unsigned).Select((b, i) => (b, i)).Where(x => x.b != empty[x.i]).Select(x => x.i);
        Assert.Equal([place], differing);
    }

    [Fact]
    public void The_example_manifest_is_one()
    {
        var document = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "artifact-format.md"));
        var json = document.Split("```json\n")[1].Split("```")[0];
        var manifest = ManifestFile.Parse(Encoding.UTF8.GetBytes(json), "artifact-format.md");
        Assert.Equal("OmniTiny", manifest.Name);
        Assert.Equal(16, manifest.Layers[0].Linears[0].Ranks["Vision"]);
        Assert.Equal(23.6, manifest.Layers[0].Linears[0].Sqnr["Audio"].After);

        // Members that the example shows are the members that are written: nothing was skipped as unknown.
        Assert.Equal(Words(json), Words(Encoding.UTF8.GetString(ManifestFile.Serialize(manifest))));
    }

    private static string Words(string json) => string.Concat(json.Where(c => !char.IsWhiteSpace(c)));
}
