using MASQuant.Quantization.Run;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Pipeline;

/// <summary>What a work folder or a part says of a block goes into a manifest: what no manifest may say is as good as nothing.</summary>
public class BlockFilesTests
{
    private const string Linear = """{"name":"mlp.down_proj","group":"Down","outputs":16,"inputs":8,"bias":false,"scheme":"W8A8","bytes":1,"ranks":{},"effectiveRanks":{},"sqnr":{}}""";

    [Theory]
    [InlineData("", "", true)]
    [InlineData("\"outputs\":16", "\"outputs\":0", false)]
    [InlineData("\"scheme\":\"W8A8\"", "\"scheme\":\"W9A9\"", false)]
    [InlineData("\"group\":\"Down\"", "\"group\":\"Up\"", false)]
    [InlineData("\"bytes\":1", "\"bytes\":-1", false)]
    [InlineData("\"ranks\":{}", "\"ranks\":{\"Smell\":1}", false)]
    [InlineData("\"ranks\":{}", "\"ranks\":{\"Vision\":-1}", false)]
    [InlineData("\"sqnr\":{}", "\"sqnr\":{\"Text\":null}", false)]
    [InlineData("\"sqnr\":{}", "\"sqnr\":{\"Text\":{\"before\":1e309,\"after\":1}}", false)]
    [InlineData("\"effectiveRanks\":{}", "\"effectiveRanks\":{\"Vision\":null}", false)]
    public void Facts_of_a_block_are_those_of_a_manifest(string right, string wrong, bool read)
    {
        using var folder = new TemporaryDirectory();
        var files = new BlockFiles(folder.Path);
        File.WriteAllText(files.Facts(1), $$"""{"index":1,"linears":[{{(right.Length > 0 ? Linear.Replace(right, wrong, StringComparison.Ordinal) : Linear)}}]}""");
        File.WriteAllText(files.Details(1), """{"index":1,"misalignment":[],"spectra":[]}""");
        Assert.Equal(read, files.TryReadFacts(1) is not null);
    }

    [Theory]
    [InlineData("""{"Quantize":1.5}""", 1)]
    [InlineData("""{"Quantize":1e300}""", 0)]
    [InlineData("""{"Quantize":-1}""", 0)]
    [InlineData("[]", 0)]
    public void Times_of_a_block_are_times(string content, int stages)
    {
        using var folder = new TemporaryDirectory();
        var files = new BlockFiles(folder.Path);
        File.WriteAllText(files.Times(1), content);
        Assert.Equal(stages, files.ReadTimes(1).Count);
    }
}
