using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

public class ProcessTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [SkippableFact]
    [Trait("Lane", "slow")]
    public async Task Interrupt_cancels_and_the_same_command_resumes()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no signals.");
        using var folder = new TemporaryDirectory();
        var output = folder.File("out");

        // Learning makes the blocks that are left long enough for the signal to arrive within them.
        string[] command =
        [
            "quantize", RepositoryFiles.VlTiny, "--epochs", "30", "--rank", "4", "--name", "Tiny",
            "--calibration", CalibrationData.Write(folder.Path, samples: 4), "--output", output,
        ];
        using var process = Start(command);
        var answer = process.StandardOutput.ReadToEndAsync();
        while (await process.StandardError.ReadLineAsync().WaitAsync(Limit) is { } line && !line.StartsWith("Block 1 of 3: finished", StringComparison.Ordinal))
        {
        }

        Assert.Equal(0, Kill(process.Id, Signal()));
        var rest = await process.StandardError.ReadToEndAsync().WaitAsync(Limit);
        await process.WaitForExitAsync().WaitAsync(Limit);
        Assert.Equal((130, ""), (process.ExitCode, await answer));
        Assert.EndsWith("the same command resumes.\nCancelled.\n", rest);
        Assert.Empty(Directory.EnumerateFiles(output));

        using var again = Start(command);
        var (resumedAnswer, messages) = (again.StandardOutput.ReadToEndAsync(), again.StandardError.ReadToEndAsync());
        await again.WaitForExitAsync().WaitAsync(Limit);
        Assert.Equal((0, Path.Combine(output, "Tiny.masquant.safetensors") + "\n"), (again.ExitCode, await resumedAnswer));
        Assert.Contains("Block 1 of 3: finished by an earlier run.", await messages);
        Assert.Equal(["Tiny.masquant.facts.json", "Tiny.masquant.json", "Tiny.masquant.safetensors", "Tiny.masquant.times.json"], Directory.EnumerateFileSystemEntries(output).Select(Path.GetFileName).Order());
    }

    // Whoever opens a pipe to write waits until it is opened to be read: then the command waits for it in turn.
    [SkippableTheory]
    [InlineData("--image", false)]
    [InlineData("--image", true)]
    [InlineData("--audio", false)]
    public async Task Interrupt_ends_the_reading_of_a_pipe_that_never_ends(string kind, bool flowing)
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no such pipes.");
        using var folder = new TemporaryDirectory();
        var path = folder.File("pipe");
        using (var make = Process.Start("mkfifo", [path]))
        {
            await make.WaitForExitAsync();
        }

        using var process = Start(["run", RepositoryFiles.OmniTiny, kind, path, "What is it?"]);
        using var pipe = await Task.Run(() => new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite)).WaitAsync(Limit);
        var flow = Task.Run(() =>
        {
            // A PNG's beginning, and then nothing but zeros until nobody reads.
            pipe.Write([0x89, .. "PNG\r\n\x1A\n"u8]);
            pipe.Flush();
            for (var zeros = new byte[1 << 12]; flowing;)
            {
                try
                {
                    pipe.Write(zeros);
                    Thread.Sleep(1);
                }
                catch (IOException)
                {
                    return;
                }
            }
        });
        Assert.Equal(0, Kill(process.Id, Signal()));
        await process.WaitForExitAsync().WaitAsync(Limit);
        await flow.WaitAsync(Limit);
        Assert.Equal((130, "", "Cancelled.\n"), (process.ExitCode, await process.StandardOutput.ReadToEndAsync(), await process.StandardError.ReadToEndAsync()));
    }

    [SkippableFact]
    public async Task Interrupt_ends_the_wait_for_standard_input()
    {
        Skip.If(OperatingSystem.IsWindows(), "Windows has no signals.");
        using var process = Start(["run", RepositoryFiles.VlTiny, "-"], input: true);

        // More than a pipe holds: once it is written, the command reads.
        await process.StandardInput.WriteAsync(new string('a', 1 << 18)).WaitAsync(Limit);
        Assert.Equal(0, Kill(process.Id, Signal()));
        await process.WaitForExitAsync().WaitAsync(Limit);
        Assert.Equal((130, "Cancelled.\n"), (process.ExitCode, await process.StandardError.ReadToEndAsync()));
    }

    [Fact]
    public async Task Standard_input_is_the_question()
    {
        string[] few = ["--max-tokens", "4"];
        var expected = await Answer(["run", RepositoryFiles.OmniTiny, "Quote a verse: äöü €", .. few], null);
        Assert.Equal(expected, await Answer(["run", RepositoryFiles.OmniTiny, "-", .. few], "Quote a verse: äöü €\n"));
        Assert.Equal(expected, await Answer(["run", RepositoryFiles.OmniTiny, "-", .. few], "Quote a verse: äöü €"));
        Assert.NotEqual(expected, await Answer(["run", RepositoryFiles.OmniTiny, "-", .. few], "Quote a verse: äöü €\n\n"));

        // With media, and as a conversation that names the same.
        using var folder = new TemporaryDirectory();
        var (video, sound) = (Golden.Load("omni/video").Files, Golden.Load("omni/audio").Files[0]);
        Directory.CreateDirectory(folder.File("frames"));
        foreach (var (place, frame) in video.Index())
        {
            File.Copy(frame, folder.File($"frames/{place:D4}.png"));
        }

        File.Copy(sound, folder.File("sound.wav"));
        var seen = await Answer(["run", RepositoryFiles.OmniTiny, "--image", video[0], "--video", folder.File("frames"), "--sound", sound, "--audio", sound, "-", .. few], "What?\n");
        var frames = string.Join(", ", video.Index().Select(frame => $"\"frames/{frame.Index:D4}.png\""));
        var line = $$"""{"messages": [{"role": "user", "content": [{"type": "image", "image": "frames/0000.png"}, {"type": "video", "video": [{{frames}}], "audio": "sound.wav"}, {"type": "audio", "audio": "sound.wav"}, {"type": "text", "text": "What?"}]}, {"role": "assistant", "content": "unheard"}]}""";
        Assert.Equal(seen, await Answer(["run", RepositoryFiles.OmniTiny, "--conversation", "-", .. few], line + "\n", folder.Path));
        File.WriteAllText(folder.File("line.json"), line);
        Assert.Equal(seen, await Answer(["run", RepositoryFiles.OmniTiny, "--conversation", folder.File("line.json"), .. few], null));
        Assert.NotEqual(expected, seen);

        static async Task<string> Answer(string[] args, string? input, string folder = "")
        {
            using var process = Start(args, input is not null, folder);
            var answer = process.StandardOutput.ReadToEndAsync();
            var messages = process.StandardError.ReadToEndAsync();
            if (input is not null)
            {
                process.StandardInput.Write(input);
                process.StandardInput.Close();
            }

            await process.WaitForExitAsync().WaitAsync(Limit);
            Assert.True(process.ExitCode == 0, await messages);
            return $"{await answer}{(await messages).Split(';')[0]}"; // The answer alone, and how many tokens were asked.
        }
    }

    // SIGINT; but a shell's background jobs, and what they start, ignore it: there SIGTERM, which means the same.
    private static int Signal()
    {
        const string Ignored = "SigIgn:";
        var status = File.Exists("/proc/self/status") ? File.ReadLines("/proc/self/status") : [];
        var mask = status.Where(line => line.StartsWith(Ignored, StringComparison.Ordinal)).Select(line => Convert.ToUInt64(line[Ignored.Length..].Trim(), 16)).FirstOrDefault();
        return (mask & 2) == 0 ? 2 : 15;
    }

    // A process that sends signals might start later than the run ends.
    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);

    private static Process Start(string[] args, bool input = false, string folder = "")
    {
        var start = new ProcessStartInfo("dotnet", [typeof(CommandLine).Assembly.Location, .. args]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = input, WorkingDirectory = folder, StandardInputEncoding = input ? new UTF8Encoding(false) : null };
        return Process.Start(start)!;
    }
}
