using System.Diagnostics;

namespace MASQuant.Build.Tests;

/// <summary>Commands that build along the way: <c>dotnet test</c> and <c>dotnet watch</c>.</summary>
[Trait("Lane", "build")]
public class CommandsOfTheSdkTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3); // for a busy machine; an idle one takes seconds

    [Fact]
    public void Tests_find_the_model_of_the_library_that_they_test()
    {
        using var project = BuildCase.Open("TestedLibrary");
        project.Write("Directory.Packages.props", File.ReadAllText(Path.Combine(MASQuant.Tests.RepositoryFiles.Root, "Directory.Packages.props")));
        Assert.Equal(["Tiny"], project.Dotnet("test", "Tests").MustSucceed().Quantized);
        var log = project.Dotnet("test", "Tests", "--no-restore").MustSucceed();
        Assert.Empty(log.Quantized);
        Assert.Equal(0, log.Compiled);
    }

    [Fact]
    public void A_watched_program_is_built_again_without_quantizing()
    {
        using var project = BuildCase.Open("OneModel");
        project.LogBuilds();
        var source = project.InFolder("Program.cs");
        using var watch = project.Start("dotnet", "watch", "--non-interactive", "--no-hot-reload", "run", "-nodeReuse:false", "-v:minimal");
        try
        {
            var lines = new Lines();
            watch.OutputDataReceived += (_, line) => lines.Add(line.Data);
            watch.ErrorDataReceived += (_, line) => lines.Add(line.Data);
            watch.BeginOutputReadLine();
            watch.BeginErrorReadLine();
            Assert.True(lines.WaitFor("W4A8 64", Patience), lines.ToString());

            File.WriteAllText(source, File.ReadAllText(source).Replace("$\"", "$\"again "));
            Assert.True(lines.WaitFor("again W4A8 64", Patience), lines.ToString());
        }
        finally
        {
            watch.Kill(entireProcessTree: true);
            watch.WaitForExit();
        }

        Assert.Equal(["Tiny"], project.TakeLogs().Quantized);
    }

    // What a process has said so far.
    private sealed class Lines
    {
        private readonly List<string> _lines = [];

        public void Add(string? line)
        {
            lock (_lines)
            {
                _lines.Add(line ?? "");
                Monitor.PulseAll(_lines);
            }
        }

        public bool WaitFor(string line, TimeSpan patience)
        {
            var start = Stopwatch.GetTimestamp();
            lock (_lines)
            {
                while (!_lines.Contains(line))
                {
                    var left = patience - Stopwatch.GetElapsedTime(start);
                    if (left <= TimeSpan.Zero || !Monitor.Wait(_lines, left))
                    {
                        return false;
                    }
                }
            }

            return true;
        }

        public override string ToString()
        {
            lock (_lines)
            {
                return string.Join('\n', _lines);
            }
        }
    }
}
