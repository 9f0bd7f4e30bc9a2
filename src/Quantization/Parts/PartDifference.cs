using MASQuant.Quantization.Run;

namespace MASQuant.Quantization.Parts;

/// <summary>Says why two parts are not of one run.</summary>
internal static class PartDifference
{
    /// <summary>The first difference that a person can act on, a sentence; null when there is none.</summary>
    public static string? Between(PartFolder one, PartFolder other)
    {
        var (a, b) = (one.Model, other.Model);
        if (b.ToolVersion != ToolVersion.Current)
        {
            return $"it was written by masquant {b.ToolVersion}, this is {ToolVersion.Current}.";
        }

        if (a.ToolVersion != b.ToolVersion)
        {
            return $"it was written by masquant {b.ToolVersion}, the other by {a.ToolVersion}.";
        }

        if ((a.Name, a.Source) != (b.Name, b.Source))
        {
            return $"it is {b.Name} from '{b.Source}', the other {a.Name} from '{a.Source}'.";
        }

        if (a.Options.Keys.Union(b.Options.Keys).Order(StringComparer.Ordinal).FirstOrDefault(word => a.Options.GetValueOrDefault(word) != b.Options.GetValueOrDefault(word)) is { } option)
        {
            return $"its {option} is '{b.Options.GetValueOrDefault(option)}', the other's '{a.Options.GetValueOrDefault(option)}'.";
        }

        if (one.Checkpoint.Keys.Union(other.Checkpoint.Keys).Order(StringComparer.Ordinal).FirstOrDefault(name => one.Checkpoint.GetValueOrDefault(name) != other.Checkpoint.GetValueOrDefault(name)) is { } file)
        {
            return $"the checkpoint's '{file}' differs.";
        }

        if (a.Calibration?.Sha256 != b.Calibration?.Sha256)
        {
            return "the calibration set differs.";
        }

        return one.Key != other.Key || one.Layers != other.Layers ? "its key differs, as with another build of the tool." : null;
    }
}
