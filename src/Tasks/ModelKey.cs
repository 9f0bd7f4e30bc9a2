using System.Security.Cryptography;
using System.Text;
using MASQuant.Quantization.Options;

namespace MASQuant.Tasks;

/// <summary>Names an artifact by everything that shapes it: the tool, the model's name, the options, and the contents of every input file.</summary>
internal static class ModelKey
{
    private static readonly string[] ToolFiles = ["MASQuant.Tasks.dll", "MASQuant.Quantization.dll", "MASQuant.Runtime.dll"];

    /// <summary>The key, 64 lower-case hexadecimal digits, as remote caches want them.</summary>
    public static string Of(ModelItem model, IEnumerable<string> mediaFiles, string toolFolder, FileHashes hashes)
    {
        var text = new StringBuilder("masquant 2\n");
        Add(text, "model", model.Name, Path.GetFileName(model.Folder)); // The manifest says both.
        foreach (var file in ToolFiles)
        {
            Add(text, "tool", file, hashes.Of(Path.Combine(toolFolder, file)));
        }

        foreach (var (word, value) in OptionTable.Write(model.Options))
        {
            Add(text, "option", word, value);
        }

        foreach (var file in ModelInputs.OfCheckpoint(model.Folder))
        {
            Add(text, "checkpoint", Path.GetFileName(file), hashes.Of(file));
        }

        var calibrationFolder = Path.GetDirectoryName(model.Calibration)!;
        foreach (var file in mediaFiles.Prepend(model.Calibration))
        {
            Add(text, "calibration", Path.GetRelativePath(calibrationFolder, file).Replace('\\', '/'), hashes.Of(file));
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    private static void Add(StringBuilder text, string kind, string name, string value) => text.Append(kind).Append(' ').Append(name).Append(' ').Append(value).Append('\n');
}
