using System.Diagnostics;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary>Two processes quantize into one folder: whoever comes second waits, and what lies there is one run's, whole. MASQUANT_RACES tells how many delays are tried; 3 where it is not set.</summary>
[Trait("Lane", "slow")]
public sealed class SharedOutputTests : IDisposable
{
    private const int LongestDelay = 1500; // ms; a run takes about as long
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);
    private static readonly int Races = int.TryParse(Environment.GetEnvironmentVariable("MASQUANT_RACES"), out var races) ? races : 3;
    private readonly TemporaryDirectory _folder = new();
    private readonly string _calibration;

    public SharedOutputTests() => _calibration = CalibrationData.Write(_folder.File("data"), 4);

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("2", "6", false)]
    [InlineData("2", "2", false)]
    [InlineData("2", "6", true)]
    public async Task Each_ends_and_one_whole_answer_lies_there(string rank, string otherRank, bool cached)
    {
        string[] ranks = [rank, otherRank];
        var expected = ranks.Select(each =>
        {
            var alone = _folder.File("alone" + each);
            Assert.Equal(0, CommandRun.Of([.. Command(alone, each), "--cache", "none"]).ExitCode);
            return PartsOfVlTiny.Content(alone);
        }).ToArray();
        var random = new Random(7);
        for (var race = 0; race < Races; race++)
        {
            var output = _folder.File($"shared{race}");
            string[] cache = ["--cache", cached ? _folder.File($"cache{race}") : "none"];
            using var first = Start([.. Command(output, rank), .. cache]);
            await Task.Delay(random.Next(LongestDelay));
            using var second = Start([.. Command(output, otherRank), .. cache]);
            foreach (var process in new[] { first, second })
            {
                var said = await process.StandardError.ReadToEndAsync().WaitAsync(Limit);
                await process.WaitForExitAsync().WaitAsync(Limit);
                Assert.True(process.ExitCode == 0, said);
            }

            Assert.Contains(PartsOfVlTiny.Content(output), expected);
            Assert.False(Directory.Exists(Path.Combine(output, ".masquant")));
        }
    }

    private string[] Command(string output, string rank)
        => ["quantize", RepositoryFiles.VlTiny, "--effort", "Fast", "--calibration", _calibration, "--output", output, "--rank", rank];

    private static Process Start(string[] args)
        => Process.Start(new ProcessStartInfo("dotnet", [typeof(CommandLine).Assembly.Location, .. args]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
}
