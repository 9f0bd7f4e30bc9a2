using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary>vl-tiny's three blocks, quantized by three jobs, with four samples and nothing learned.</summary>
public sealed class PartsOfVlTiny : IDisposable
{
    internal const string Name = "Tiny";
    private readonly TemporaryDirectory _folder = new();

    public PartsOfVlTiny()
    {
        Data = CalibrationData.Write(_folder.File("data"), samples: 4);
        Folder = _folder.File("parts");
        Runs = [.. Enumerable.Range(0, 3).Select(i => CommandRun.Of(Command(Folder, $"{i}/3")))];
    }

    internal CommandRun[] Runs { get; }

    internal string Data { get; }

    internal string Folder { get; }

    internal static string FolderOf(int first, int last) => $"{Name}.blocks-{first:d3}-{last:d3}.masquant.part";

    internal string Part(int block) => Path.Combine(Folder, FolderOf(block, block));

    internal string[] Command(string output, string blocks, params string[] more)
        => ["quantize", RepositoryFiles.VlTiny, "--epochs", "0", "--rank", "4", "--calibration", Data, "--output", output, "--name", Name, "--blocks", blocks, .. more];

    /// <summary>Everything in a folder but times, by name: what equal runs make equal.</summary>
    internal static SortedDictionary<string, string> Content(string folder)
        => new(Directory.EnumerateFiles(folder).Where(file => !file.EndsWith(".times.json", StringComparison.Ordinal)).ToDictionary(file => Path.GetFileName(file), file => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)))), StringComparer.Ordinal);

    /// <summary>Copies parts into a folder.</summary>
    internal static string Copy(string to, params string[] parts)
    {
        foreach (var part in parts)
        {
            var copy = Directory.CreateDirectory(Path.Combine(to, Path.GetFileName(part))).FullName;
            foreach (var file in Directory.EnumerateFiles(part))
            {
                File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
            }
        }

        return to;
    }

    public void Dispose() => _folder.Dispose();
}
