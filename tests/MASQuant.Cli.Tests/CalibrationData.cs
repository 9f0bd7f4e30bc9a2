using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary>Small conversation files out of the repository's, without audio, which vl-tiny does not take.</summary>
internal static class CalibrationData
{
    /// <summary>Copies the first samples, with their media; returns the file.</summary>
    public static string Write(string folder, int samples, int skip = 0, string name = "calibration.jsonl")
    {
        Directory.CreateDirectory(Path.Combine(folder, "media"));
        var lines = File.ReadLines(RepositoryFiles.Data("calibration.jsonl")).Where(line => !line.Contains("\"audio\"") && line.Contains("\"image\"")).Skip(skip).Take(samples).ToArray();
        foreach (var line in lines)
        {
            foreach (var media in line.Split('"').Where(text => text.StartsWith("media/", StringComparison.Ordinal)))
            {
                File.Copy(RepositoryFiles.Data(media), Path.Combine(folder, media), overwrite: true);
            }
        }

        var file = Path.Combine(folder, name);
        File.WriteAllLines(file, lines);
        return file;
    }
}
