namespace MASQuant.Formats.Models;

/// <summary>From the stream behind one of a tower's blocks to rows for the decoder.</summary>
/// <param name="Block">The tower's block, from 0.</param>
/// <param name="Merger">One row for each merged block of patches, as of the last merger.</param>
public sealed record DeepstackMerger(int Block, BlockDescription Merger);
