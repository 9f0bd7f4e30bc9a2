using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;

namespace MASQuant.Quantization.Parts;

/// <summary>A range of decoder blocks that a job quantizes on its own.</summary>
/// <param name="Job">The model; its output folder receives the part.</param>
/// <param name="Blocks">The blocks.</param>
/// <param name="Layers">The model's blocks.</param>
/// <param name="Key">The key of the artifact that one run over all blocks would make.</param>
/// <param name="Checkpoint">SHA-256 of the checkpoint's files, by name.</param>
public sealed record PartPlan(QuantizationJob Job, BlockRange Blocks, int Layers, string Key, SortedDictionary<string, string> Checkpoint)
{
    /// <summary>Tells this part's unfinished run from those of other parts.</summary>
    public string RunKey => RunKeyOf(Key, Blocks);

    internal static string RunKeyOf(string key, BlockRange blocks) => $"{key}.{blocks}";

    /// <summary>The part's folder, which appears when it is finished.</summary>
    public string Folder => Path.Combine(Job.OutputFolder, FormattableString.Invariant($"{Job.Name}.blocks-{Blocks.First:d3}-{Blocks.Last:d3}{PartFolder.Suffix}"));

    /// <summary>Whether an earlier run left this very part, whole.</summary>
    /// <param name="cancellationToken">Obeyed while files are hashed.</param>
    public bool IsFinished(CancellationToken cancellationToken)
    {
        try
        {
            return File.Exists(Path.Combine(Folder, PartFolder.FileName)) && PartFolder.Open(Folder) is var part && part.Key == Key && part.Blocks == Blocks && part.FindDamage(cancellationToken) is null;
        }
        catch (MASQuantException)
        {
            return false; // Made again.
        }
    }
}
