using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Quantization.Parts;

/// <summary>Holds a part's blocks against the model: files that are what their <c>part.json</c> says may still be none that quantization writes.</summary>
internal static class PartBlocks
{
    /// <summary>What is wrong with a block, or null.</summary>
    /// <param name="facts">What the part says of the block.</param>
    /// <param name="file">The block's tensors.</param>
    /// <param name="block">What the model says of it.</param>
    public static string? Problem(ManifestLayer facts, string file, BlockDescription block)
    {
        var said = facts.Linears.Select(linear => (linear.Name, linear.Group, linear.Outputs, linear.Inputs));
        if (!said.SequenceEqual(block.Linears.Select(linear => (linear.Name, linear.Group.ToString(), linear.Outputs, linear.Inputs))))
        {
            return $"What it says of block {facts.Index} does not fit the model.";
        }

        string[] known = [.. block.Linears.Select(linear => $"{ArtifactNames.Linear(facts.Index, linear.Name)}."), .. block.Groups.Select(group => ArtifactNames.Group(facts.Index, group))];
        using var tensors = SafetensorsFile.Open(file);
        return tensors.Tensors.FirstOrDefault(tensor => !known.Any(prefix => tensor.Name.StartsWith(prefix, StringComparison.Ordinal))) is { } stranger
            ? $"Block {facts.Index} holds '{stranger.Name}', which is none of its tensors."
            : null;
    }
}
