using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Models;

namespace MASQuant.Cli.Inspection;

/// <summary>A model's extents on one line, the same for a checkpoint and what it became.</summary>
internal static class ModelFactsLine
{
    public static string Of(ManifestModel model, int layers)
        => Of(layers, model.HiddenSize, model.IntermediateSize, model.AttentionHeads, model.KeyValueHeads, model.VocabularySize, model.MaxPositions, model.Modalities);

    public static string Of(ModelConfig config)
    {
        var text = config.Text;
        return Of(text.Layers, text.HiddenSize, text.IntermediateSize, text.AttentionHeads, text.KeyValueHeads, text.VocabularySize, text.MaxPositions,
            config.Modalities.Select(modality => modality.ToString()));
    }

    private static string Of(int layers, int hidden, int intermediate, int heads, int keyValueHeads, int vocabulary, int positions, IEnumerable<string> modalities)
        => FormattableString.Invariant($"{layers} blocks, hidden {hidden}, intermediate {intermediate}, {heads} heads ({keyValueHeads} key/value), ")
            + FormattableString.Invariant($"vocabulary {vocabulary}, {positions} positions, takes {string.Join(", ", modalities).ToLowerInvariant()}");
}
