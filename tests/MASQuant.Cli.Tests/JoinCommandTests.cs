using System.Text.Json.Nodes;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

public sealed class JoinCommandTests(PartsOfVlTiny parts) : IClassFixture<PartsOfVlTiny>, IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Jobs_answer_with_their_parts_and_leave_nothing_else()
    {
        Assert.All(parts.Runs.Index(), run => Assert.Equal((0, parts.Part(run.Index) + "\n"), (run.Item.ExitCode, run.Item.Output)));
        Assert.Contains("Running the blocks before 3 in full precision.", parts.Runs[2].Error);
        Assert.Contains("Block 3 of 3: finished, 100 % of the run.", parts.Runs[2].Error);
        Assert.Equal(Enumerable.Range(0, 3).Select(parts.Part), Directory.EnumerateDirectories(parts.Folder, "Tiny*").Order(StringComparer.Ordinal));
        Assert.All(Directory.EnumerateFiles(parts.Folder, "*", SearchOption.AllDirectories).Where(file => !file.Contains(".masquant.part", StringComparison.Ordinal)), file => Assert.Contains("locks", file));
    }

    [Fact]
    public void The_order_of_parts_means_nothing()
    {
        Assert.Equal((0, Path.Combine(_folder.File("a"), "Tiny.masquant.safetensors") + "\n"), Answer(Join("a", parts.Folder)));
        Assert.Equal(0, Join("b", parts.Part(2), parts.Part(0), parts.Part(1)).ExitCode);
        Assert.Equal(0, Join("c", parts.Part(1) + "/", PartsOfVlTiny.Copy(_folder.File("others"), parts.Part(2), parts.Part(0))).ExitCode);
        Assert.Equal(["Tiny.key", "Tiny.masquant.facts.json", "Tiny.masquant.json", "Tiny.masquant.safetensors"], PartsOfVlTiny.Content(_folder.File("a")).Keys);
        Assert.Equal(PartsOfVlTiny.Content(_folder.File("a")), PartsOfVlTiny.Content(_folder.File("b")));
        Assert.Equal(PartsOfVlTiny.Content(_folder.File("a")), PartsOfVlTiny.Content(_folder.File("c")));
    }

    [Fact]
    public void One_part_of_all_blocks_is_the_undivided_run_and_several_do_not_claim_to_be()
    {
        Assert.Equal(0, CommandRun.Of(parts.Command(_folder.File("one"), "0-2")).ExitCode);
        Assert.Equal(0, Join("joined", _folder.File("one")).ExitCode);
        Assert.Equal(0, CommandRun.Of([.. parts.Command(_folder.File("run"), "0-2").SkipLast(2)]).ExitCode);
        Assert.Equal(PartsOfVlTiny.Content(_folder.File("run")), new(PartsOfVlTiny.Content(_folder.File("joined")).Where(file => file.Key != "Tiny.key").ToDictionary(), StringComparer.Ordinal));

        Assert.Equal(0, Join("three", parts.Folder).ExitCode);
        Assert.NotEqual(File.ReadAllText(_folder.File("joined/Tiny.key")), File.ReadAllText(_folder.File("three/Tiny.key")));
        Assert.Null(ManifestFile.Read(_folder.File("run/Tiny.masquant.json")).Parts);
        Assert.Equal(["0", "1", "2"], ManifestFile.Read(_folder.File("three/Tiny.masquant.json")).Parts);
        var inspected = CommandRun.Of("inspect", _folder.File("three/Tiny.masquant.safetensors"));
        Assert.Equal(0, inspected.ExitCode);
        Assert.Contains("Joined from 3 parts, blocks 0, 1, 2", inspected.Output);

        // The first part is what a run begins with; the second has not seen the first one's errors.
        Assert.Equal(Tensors("run", 0), Tensors("three", 0));
        Assert.NotEqual(Tensors("run", 1), Tensors("three", 1));
    }

    [Fact]
    public void A_report_and_budgets_are_the_joined_models()
    {
        var run = Join("out", parts.Folder, "--report", _folder.File("page.html"), "--max-bytes", "1kB");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("error MASQ0951: Tiny: the artifact has ", run.Error);
        Assert.Contains("<section id=\"time\">", File.ReadAllText(_folder.File("page.html")));
    }

    [Fact]
    public void A_finished_part_is_left_alone_and_a_damaged_one_made_again()
    {
        var copy = PartsOfVlTiny.Copy(_folder.File("parts"), parts.Part(1));
        var layer = Path.Combine(copy, PartsOfVlTiny.FolderOf(1, 1), "layer-001.safetensors");
        var written = File.GetLastWriteTimeUtc(layer);
        Assert.Contains("made by an earlier run", CommandRun.Of(parts.Command(copy, "1")).Error);
        Assert.Equal(written, File.GetLastWriteTimeUtc(layer));

        Flip(layer);
        Assert.Contains("quantized in", CommandRun.Of(parts.Command(copy, "1")).Error);
        Assert.Equal(PartsOfVlTiny.Content(parts.Part(1)), PartsOfVlTiny.Content(Path.GetDirectoryName(layer)!));

        Assert.Contains("quantized in", CommandRun.Of(parts.Command(copy, "1", "--seed", "1")).Error);
        Assert.NotEqual(File.ReadAllText(Path.Combine(parts.Part(1), "part.json")), File.ReadAllText(Path.Combine(Path.GetDirectoryName(layer)!, "part.json")));
    }

    [Theory]
    [InlineData("Block 0 of Tiny is in no part", 1, 2)]
    [InlineData("Block 1 of Tiny is in no part", 0, 2)]
    [InlineData("Block 2 of Tiny is in no part", 0, 1)]
    [InlineData("Blocks 1-2 of Tiny are in no part. Wait for their job, or run it: the same command with '--blocks 1-2'.", 0)]
    public void A_missing_part_is_named(string message, params int[] blocks)
        => Refused("MASQ0520", message, Join("out", PartsOfVlTiny.Copy(_folder.File("parts"), [.. blocks.Select(parts.Part)])));

    [Fact]
    public void A_folder_without_parts_is_named() => Refused("MASQ0520", $"{_folder.Path}: error MASQ0520: There is no part here.", Join("out", parts.Folder, _folder.Path));

    [Fact]
    public void A_block_in_two_parts_is_named()
    {
        Assert.Equal(0, CommandRun.Of(parts.Command(_folder.File("other"), "1-2")).ExitCode);
        Refused("MASQ0521", $"Block 1 is in '{parts.Part(1)}' as well.", Join("out", parts.Folder, _folder.File("other")));
    }

    [Theory]
    [InlineData("its Rank is '3', the other's '4'", "--rank", "3")]
    [InlineData("the calibration set differs", "--samples", "3")]
    [InlineData("it is Other from 'vl-tiny', the other Tiny from 'vl-tiny'", "--name", "Other")]
    public void A_part_of_another_run_is_named(string message, string option, string value)
    {
        string[] command = parts.Command(_folder.File("other"), "2");
        var place = Array.IndexOf(command, option);
        command = place < 0 ? [.. command, option, value] : [.. command[..(place + 1)], value, .. command[(place + 2)..]];
        var foreign = CommandRun.Of(command).Output.Trim();
        Refused("MASQ0522", $"{foreign}: error MASQ0522: The part is of another run than '{parts.Part(0)}': {message}", Join("out", parts.Part(0), parts.Part(1), foreign));
    }

    [Fact]
    public void A_part_of_another_version_and_another_checkpoint_are_named()
    {
        var copy = PartsOfVlTiny.Copy(_folder.File("parts"), [.. Enumerable.Range(0, 3).Select(parts.Part)]);
        var model = Path.Combine(copy, PartsOfVlTiny.FolderOf(2, 2), "model.json");
        File.WriteAllText(model, File.ReadAllText(model).Replace("\"toolVersion\": \"", "\"toolVersion\": \"9.", StringComparison.Ordinal));
        Refused("MASQ0522", "it was written by masquant 9.", Join("out", copy));
        Refused("MASQ0522", $"{RepositoryFiles.OmniTiny}: error MASQ0522: The parts were made from another checkpoint: ", CommandRun.Of("join", RepositoryFiles.OmniTiny, parts.Folder, "--output", _folder.File("out")));
    }

    [Theory]
    [InlineData("layer-001.safetensors", "changed")]
    [InlineData("layer-001.safetensors", "cut")]
    [InlineData("layer-001.safetensors", "gone")]
    [InlineData("layer-001.json", "changed")]
    [InlineData("layer-001.facts.json", "gone")]
    [InlineData("model.json", "cut")]
    [InlineData("part.json", "cut")]
    [InlineData("part.json", "gone")]
    [InlineData("part.json", "range")]
    [InlineData("part.json", "version")]
    public void A_damaged_part_is_named(string file, string damage)
    {
        var copy = PartsOfVlTiny.Copy(_folder.File("parts"), [.. Enumerable.Range(0, 3).Select(parts.Part)]);
        var part = Path.Combine(copy, PartsOfVlTiny.FolderOf(1, 1));
        var path = Path.Combine(part, file);
        switch (damage)
        {
            case "changed": Flip(path); break;
            case "cut": File.WriteAllBytes(path, File.ReadAllBytes(path)[..20]); break;
            case "gone": File.Delete(path); break;
            default:
                var json = JsonNode.Parse(File.ReadAllText(path))!;
                json[damage == "range" ? "last" : "formatVersion"] = int.MaxValue;
                File.WriteAllText(path, json.ToJsonString());
                break;
        }

        Refused("MASQ0523", $"{part}: error MASQ0523: The part is damaged: ", Join("out", copy));
    }

    /// <summary>Files that somebody wrote and hashed: none gets past join, and none is a defect of the tool.</summary>
    [Theory]
    [InlineData("MASQ0523", "linears", "[]")]
    [InlineData("MASQ0523", "linears", "[null, null, null, null, null, null, null]")]
    [InlineData("MASQ0523", "index", "2")]
    [InlineData("MASQ0523", "group", "\"Nonsense\"")]
    [InlineData("MASQ0523", "outputs", "-1")]
    [InlineData("MASQ0523", "effectiveRanks", "{\"Vision\": null}")]
    [InlineData("MASQ0523", "scheme", "\"W9A9\"")]
    [InlineData("MASQ0523", "ranks", "{\"Vision\": -3}")]
    [InlineData("MASQ0603", "ranks", "{\"Vision\": 3}")]
    [InlineData("MASQ0523", "tensor", "model.embed_tokens.weight")]
    [InlineData("MASQ0523", "tensor", "files/config.json")]
    public void A_part_that_no_quantization_wrote_is_refused(string code, string member, string value)
    {
        var copy = PartsOfVlTiny.Copy(_folder.File("parts"), [.. Enumerable.Range(0, 3).Select(parts.Part)]);
        var part = Path.Combine(copy, PartsOfVlTiny.FolderOf(1, 1));
        var path = Path.Combine(part, member == "tensor" ? "layer-001.safetensors" : "layer-001.json");
        if (member == "tensor")
        {
            using var file = SafetensorsFile.Open(parts.Part(1) + "/layer-001.safetensors");
            SafetensorsWriter.Write(path, [.. file.Tensors.Select(tensor => TensorPayload.From(file, tensor)), TensorPayload.OfBytes(value, DataType.U8, new byte[1], 1)], file.Metadata);
        }
        else
        {
            var layer = JsonNode.Parse(File.ReadAllText(path))!;
            (member is "linears" or "index" ? layer : layer["linears"]![1]!)[member] = JsonNode.Parse(value);
            File.WriteAllText(path, layer.ToJsonString());
        }

        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(part, "part.json")))!;
        json["files"]![Path.GetFileName(path)] = Formats.Files.ContentHash.OfFile(path);
        File.WriteAllText(Path.Combine(part, "part.json"), json.ToJsonString());
        Refused(code, code == "MASQ0523" ? part : "", Join("out", copy));
    }

    [Theory]
    [InlineData("'3/3' is not allowed for '--blocks'", "--blocks", "3/3")]
    [InlineData("'0/0' is not allowed for '--blocks'", "--blocks", "0/0")]
    [InlineData("'-1/3' is not allowed for '--blocks'", "--blocks", "-1/3")]
    [InlineData("'2-1' is not allowed for '--blocks'", "--blocks", "2-1")]
    [InlineData("'*' is not allowed for '--blocks'", "--blocks", "*")]
    [InlineData("give them to 'masquant join'", "--blocks", "0", "--max-bytes", "5MB")]
    [InlineData("give them to 'masquant join'", "--blocks", "0", "--report", "page.html")]
    [InlineData("A part is in no cache", "--blocks", "0", "--cache", "here")]
    public void Wrong_usage_is_told(string message, params string[] words)
    {
        var run = CommandRun.Of([.. parts.Command(_folder.File("out"), "0").SkipLast(2), .. words]);
        Assert.Equal((2, ""), (run.ExitCode, run.Output));
        Assert.Contains(message, run.Error);
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    [Theory]
    [InlineData("0/4", "--blocks asks for 4 parts; the model has 3 blocks. Use at most 3 jobs.")]
    [InlineData("1-3", "--blocks names block 3; the model has blocks 0…2.")]
    public void Blocks_that_the_model_lacks_are_named(string blocks, string message)
    {
        var run = CommandRun.Of(parts.Command(_folder.File("out"), blocks));
        Refused("MASQ0513", message, run);
    }

    private static (int, string) Answer(CommandRun run) => (run.ExitCode, run.Output);

    private static void Flip(string path)
    {
        var content = File.ReadAllBytes(path);
        content[^2] ^= 1;
        File.WriteAllBytes(path, content);
    }

    private void Refused(string code, string message, CommandRun run)
    {
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains($"error {code}: ", run.Error);
        Assert.Contains(message, run.Error);
        Assert.False(Directory.Exists(_folder.File("out")));
    }

    private SortedDictionary<string, string> Tensors(string output, int block)
    {
        using var file = SafetensorsFile.Open(_folder.File($"{output}/Tiny.masquant.safetensors"));
        return new(file.Tensors.Where(tensor => tensor.Name.StartsWith($"model.layers.{block}.", StringComparison.Ordinal)).ToDictionary(tensor => tensor.Name, tensor => Convert.ToHexString(file.Bytes(tensor.Name).Span)), StringComparer.Ordinal);
    }

    private CommandRun Join(string output, params string[] words) => CommandRun.Of(["join", RepositoryFiles.VlTiny, .. words, "--output", _folder.File(output)]);
}
