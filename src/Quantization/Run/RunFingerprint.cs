using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Run;

/// <summary>Identifies what a run depends on: the tool, the options, the checkpoint's and the calibration set's contents.</summary>
internal static class RunFingerprint
{
    /// <summary>SHA-256, lower-case hexadecimal.</summary>
    public static string Of(string modelFolder, CalibrationSet calibration, QuantizationOptions options, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        text.AppendLine(ToolVersion.Current).AppendLine(calibration.Sha256);
        if (calibration.Subset is { } subset)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"Subset={subset.Samples},{subset.Seed}");
        }

        foreach (var (name, value) in OptionTable.Write(options))
        {
            text.Append(name).Append('=').AppendLine(value);
        }

        foreach (var file in Directory.EnumerateFiles(modelFolder).Where(f => Path.GetExtension(f) is ".safetensors" or ".json").Order(StringComparer.Ordinal))
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var stream = File.OpenRead(file);
            text.Append(Path.GetFileName(file)).Append('=').AppendLine(Convert.ToHexStringLower(SHA256.HashData(stream)));
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
