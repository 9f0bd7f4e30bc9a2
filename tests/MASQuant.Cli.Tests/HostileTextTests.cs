using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using MASQuant.Cli.Output;
using MASQuant.Formats.Artifacts;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary>Names that authors of files choose steer neither a terminal nor a build server's log, whatever command prints them.</summary>
public sealed class HostileTextTests(QuantizedVlTiny quantized) : IClassFixture<QuantizedVlTiny>, IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_texts_steer_unless_they_are_written_out() => Assert.True(HostileText.SteeringParts(HostileText.Value).Count >= 7);

    [Fact]
    public void Members_of_a_manifest()
    {
        var json = JsonNode.Parse(CommandRun.Of("inspect", quantized.Artifact, "--json").Output)!;
        (json["source"], json["toolVersion"], json["options"]!["Rank"]) = (HostileText.Value, HostileText.Value, HostileText.Value);
        json["layers"]![0]!["linears"]![0]!["name"] = HostileText.Value;
        var path = _folder.File("a.masquant.json");
        File.WriteAllText(path, json.ToJsonString());

        // As a table, as JSON that says the same, and in a message.
        AssertHarmless(CommandRun.Of("inspect", path), exitCode: 0);
        var printed = CommandRun.Of("inspect", path, "--json");
        AssertHarmless(printed, exitCode: 0);
        Assert.Equal(HostileText.Value, ManifestFile.Parse(Encoding.UTF8.GetBytes(printed.Output), "output").Source);
        json["artifact"] = HostileText.Value + "/";
        File.WriteAllText(path, json.ToJsonString());
        AssertHarmless(CommandRun.Of("inspect", path), exitCode: 1);
    }

    [Fact]
    public void Names_of_tensors()
    {
        CopyModel();
        var header = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object> { [HostileText.Value] = new { dtype = "F32", shape = new[] { 1 }, data_offsets = new[] { 0, 8 } } });
        File.WriteAllBytes(_folder.File("model.safetensors"), [.. BitConverter.GetBytes((long)header.Length), .. header, .. new byte[8]]);
        AssertHarmless(CommandRun.Of("run", _folder.Path, "?"), exitCode: 1);

        File.Delete(_folder.File("model.safetensors"));
        File.WriteAllText(_folder.File("model.safetensors.index.json"), JsonSerializer.Serialize(new { weight_map = new Dictionary<string, string> { [HostileText.Value] = HostileText.Value + "/" } }));
        AssertHarmless(CommandRun.Of("inspect", _folder.Path), exitCode: 1);
    }

    [Fact]
    public void Members_of_configurations()
    {
        CopyModel();
        File.WriteAllText(_folder.File("config.json"), JsonSerializer.Serialize(new Dictionary<string, string> { ["model_type"] = HostileText.Value }));
        AssertHarmless(CommandRun.Of("plan", _folder.Path), exitCode: 1);
    }

    [Fact]
    public void Names_of_files_and_words_of_the_command_line()
    {
        AssertHarmless(CommandRun.Of("run", RepositoryFiles.VlTiny, "--image", HostileText.FileName, "?"), exitCode: 1);
        AssertHarmless(CommandRun.Of("inspect", HostileText.Value), exitCode: 1);
        AssertHarmless(CommandRun.Of("run", RepositoryFiles.VlTiny, "?", "--" + HostileText.Value), exitCode: 2);
        AssertHarmless(CommandRun.Of(HostileText.Value), exitCode: 2);
    }

    [SkippableFact]
    public void Names_of_files_that_are_there()
    {
        Skip.If(RuntimeInformation.IsOSPlatform(OSPlatform.Windows), "Windows has no such names.");
        File.WriteAllBytes(_folder.File(HostileText.FileName.Replace('/', '_')), [1, 2, 3]);
        AssertHarmless(CommandRun.Of("run", RepositoryFiles.VlTiny, "--image", Directory.GetFiles(_folder.Path).Single(), "?"), exitCode: 1);
    }

    [Fact]
    public void A_writer_keeps_lines_and_sees_commands_that_come_in_pieces()
    {
        using var written = new StringWriter { NewLine = "\r\n" };
        var console = new CommandConsole(written, written, errorIsTerminal: true);
        foreach (var letter in "a\r\nb\r:: ##vso[c\n :")
        {
            console.Output.Write(letter);
        }

        console.Output.WriteLine(":d");
        console.Output.WriteLine("::e");
        console.Output.Write("é\U0001F642");
        Assert.Equal("a\r\nb\\r:: ##vso\\u005bc\n :\\u003ad\r\n:\\u003ae\r\né\U0001F642", written.ToString());
    }

    [Fact]
    public void Standard_error_and_the_status_line_are_written_out_too()
    {
        using var written = new StringWriter { NewLine = "\n" };
        var console = new CommandConsole(TextWriter.Null, written, errorIsTerminal: true);
        console.Error.WriteLine(HostileText.Value);
        Assert.Empty(HostileText.SteeringParts(written.ToString()));
        written.GetStringBuilder().Clear();
        new StatusLine(console).Show("a\u001B[2Jb");
        Assert.Equal("\ra\\u001b[2Jb\e[K", written.ToString());
    }

    [Fact]
    public void Answers_go_to_programs_as_they_are_and_to_people_like_all_else()
    {
        using var written = new StringWriter();
        new CommandConsole(written, TextWriter.Null, errorIsTerminal: false).Answers.Write("\u001B[2J");
        new CommandConsole(written, TextWriter.Null, errorIsTerminal: false) { OutputIsTerminal = true }.Answers.Write("\u001B[2J");
        Assert.Equal("\u001B[2J\\u001b[2J", written.ToString());
    }

    private void CopyModel()
    {
        foreach (var file in Directory.GetFiles(RepositoryFiles.VlTiny))
        {
            File.Copy(file, _folder.File(Path.GetFileName(file)));
        }
    }

    private static void AssertHarmless(CommandRun run, int exitCode)
    {
        Assert.Empty(HostileText.SteeringParts(run.Output));
        Assert.Empty(HostileText.SteeringParts(run.Error));
        Assert.Contains("\\u001b", run.Output + run.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(exitCode, run.ExitCode);
    }
}
