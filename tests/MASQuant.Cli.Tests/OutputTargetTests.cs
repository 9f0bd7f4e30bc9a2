using System.CommandLine;
using MASQuant.Cli.Options;
using MASQuant.Cli.Output;
using MASQuant.Formats.Files;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary>What a command is to write is tried before it works: the models here do not exist, which nobody gets to see.</summary>
public sealed class OutputTargetTests : IDisposable
{
    // Every option that is written, behind what the command needs before it.
    private static readonly (string Command, string[] Words, string[] Options)[] Commands =
    [
        ("quantize", ["x", "--calibration", "a"], ["--output"]),
        ("quantize", ["x", "--calibration", "a", "--output", "out"], ["--report"]),
        ("join", ["x", "parts"], ["--output"]),
        ("join", ["x", "parts", "--output", "out"], ["--report"]),
        ("plan", ["x"], ["--output"]),
        ("evaluate", ["x", "y.jsonl"], ["--json-file", "--markdown", "--report"]),
        ("compare", ["x", "y.jsonl", "--calibration", "a"], ["--output", "--json-file", "--markdown", "--report"]),
        ("tune", ["x", "--calibration", "a", "--max-bytes", "1GB"], ["--output", "--report"]),
    ];

    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void All_of_them_are_here()
        => Assert.Equal(Root().Subcommands.SelectMany(command => command.Options.OfType<WrittenOption>().Select(option => $"{command.Name} {option.Name}")).Order(), Commands.SelectMany(row => row.Options.Select(option => $"{row.Command} {option}")).Order());

    [Fact]
    public void Nowhere_to_write()
    {
        File.WriteAllText(_folder.File("file"), "");
        Directory.CreateDirectory(_folder.File("folder"));
        Assert.All(Commands.SelectMany(row => row.Options.Select(option => (row, option))), target =>
        {
            var isFolder = Root().Subcommands.Single(command => command.Name == target.row.Command).Options.Single(option => option.Name == target.option).HelpName == "DIR";
            AssertRefused(_folder.File("file/below"), "is no folder");
            AssertRefused(isFolder ? _folder.File("file") : _folder.File("folder"), isFolder ? "is no folder" : "It is a folder");
            AssertRefused(Path.Combine([_folder.Path, .. Enumerable.Repeat(new string('n', 200), OperatingSystem.IsWindows() ? 200 : 24)]), "Its path has more than");
            Assert.Equal(2, Run("").ExitCode);

            // What can be written is not refused, and not created either: the model is what is missing.
            Assert.DoesNotContain("MASQ0111", Run(_folder.File(isFolder ? "folder" : "new/deep/target")).Error, StringComparison.Ordinal);
            Directory.CreateDirectory(_folder.File("folder"));
            Assert.Equal(["file", "folder"], Directory.EnumerateFileSystemEntries(_folder.Path).Select(Path.GetFileName).Order());

            CommandRun Run(string path) => CommandRun.Of([target.row.Command, .. target.row.Words, target.option, path]);

            void AssertRefused(string path, string why)
            {
                var run = Run(path);
                Assert.Equal((1, ""), (run.ExitCode, run.Output));
                Assert.StartsWith($"{path}: error MASQ0111: ", run.Error, StringComparison.Ordinal);
                Assert.Contains(why, run.Error, StringComparison.Ordinal);
            }
        });
    }

    [SkippableFact]
    public void Where_nobody_may_write()
    {
        Skip.If(!OperatingSystem.IsLinux(), "Linux' /proc takes no files, whoever asks.");
        Assert.All(Commands.SelectMany(row => row.Options.Select(option => (row, option))), target =>
        {
            var run = CommandRun.Of([target.row.Command, .. target.row.Words, target.option, "/proc/self/new"]);
            Assert.Equal(1, run.ExitCode);
            Assert.StartsWith("/proc/self/new: error MASQ0111: The file cannot be written: ", run.Error, StringComparison.Ordinal);
        });
    }

    [SkippableFact]
    public void A_device_is_no_file()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no such paths.");
        Assert.Contains("It is no regular file", Assert.Throws<MASQuantException>(() => WritableTarget.RequireFile("/dev/null")).Description, StringComparison.Ordinal);
    }

    private static RootCommand Root() => CommandLine.CreateRoot(new CommandConsole(TextWriter.Null, TextWriter.Null, false), default);
}
