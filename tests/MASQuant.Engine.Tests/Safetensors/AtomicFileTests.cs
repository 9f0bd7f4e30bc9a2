using MASQuant.Formats.Files;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Safetensors;

public sealed class AtomicFileTests : IDisposable
{
    private static readonly byte[] Content = [1, 2, 3];
    private readonly TemporaryDirectory _folder = new();

    private string Target => _folder.File("target.bin");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_a_killed_writer_left_goes_with_the_next_write()
    {
        using (var writer = TestProcess.Start(["write", Target]))
        {
            try
            {
                Assert.Equal("writing", writer.StandardOutput.ReadLine());
                var living = Assert.Single(Files());
                LongAgo(living);
                AtomicFile.Write(Target, Content);
                Assert.Contains(living, Files()); // it is still being written
            }
            finally
            {
                writer.Kill();
                writer.WaitForExit();
            }
        }

        Assert.Equal(2, Files().Length);
        AtomicFile.Write(Target, Content);
        Assert.Equal([Target], Files());
        Assert.Equal(Content, File.ReadAllBytes(Target));
    }

    /// <summary>Its writer may be between two steps, neither of which holds the file.</summary>
    [Fact]
    public void A_fresh_temporary_file_stays()
    {
        var fresh = Temporary(Target);
        AtomicFile.Write(Target, Content);
        Assert.Equal([Target, fresh], Files());
    }

    [Fact]
    public void Files_of_others_stay()
    {
        string[] others = [Target + ".tmp", Target + ".backup.tmp", Temporary(_folder.File("target.bin.json")), Temporary(_folder.File("target")), Target + "." + new string('0', 32)];
        foreach (var other in others)
        {
            File.WriteAllText(other, "");
            LongAgo(other);
        }

        AtomicFile.Write(Target, Content);
        Assert.Equal(others.Append(Target).Order(StringComparer.Ordinal), Files());
    }

    private static string Temporary(string target)
    {
        var file = $"{target}.{Guid.NewGuid():N}.tmp";
        File.WriteAllText(file, "");
        return file;
    }

    private static void LongAgo(string file) => File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddHours(-1));

    private string[] Files() => [.. Directory.GetFiles(_folder.Path).Order(StringComparer.Ordinal)];
}
