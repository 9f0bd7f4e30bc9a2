using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Facts;

namespace MASQuant.Quantization.Run;

/// <summary>The files of finished decoder blocks in a folder: tensors, what the manifest says of them, what reports say beside, how long they took.</summary>
/// <param name="folder">The folder.</param>
internal sealed class BlockFiles(string folder)
{
    /// <summary>How the name of a file of times ends; all other files of equal runs are equal.</summary>
    public const string TimesSuffix = ".times.json";

    /// <summary>A block's tensors.</summary>
    public string Layer(int layer) => Path.Combine(folder, FormattableString.Invariant($"layer-{layer:d3}.safetensors"));

    /// <summary>What the manifest says of a block.</summary>
    public string Facts(int layer) => Path.ChangeExtension(Layer(layer), ".json");

    /// <summary>What reports say beside.</summary>
    public string Details(int layer) => Path.ChangeExtension(Layer(layer), ".facts.json");

    /// <summary>Those that equal runs make equal.</summary>
    public string[] Results(int layer) => [Layer(layer), Facts(layer), Details(layer)];

    /// <summary>The hashes of <see cref="Results"/>.</summary>
    public string Seal(int layer) => Path.ChangeExtension(Layer(layer), ".seal.json");

    /// <summary>How long a block took.</summary>
    public string Times(int layer) => Path.ChangeExtension(Layer(layer), TimesSuffix);

    /// <summary>What the manifest and reports say of a block, or null.</summary>
    public (ManifestLayer Facts, BlockFacts Details)? TryReadFacts(int layer)
        => FactsFile.Read(Facts(layer), ManifestJson.Default.ManifestLayer) is { } facts && ManifestCheck.ProblemOf(facts, layer) is null
            && FactsFile.Read(Details(layer), FactsJson.Default.BlockFacts) is { } details && FactsFile.IsWhole(details)
            ? (facts, details)
            : null;

    /// <summary>How long a block took: seconds by stage; empty when that is not known.</summary>
    public SortedDictionary<string, double> ReadTimes(int layer) => FactsFile.ReadSeconds(Times(layer)) ?? [];
}
