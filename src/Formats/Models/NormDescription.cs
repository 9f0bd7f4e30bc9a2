namespace MASQuant.Formats.Models;

/// <summary>A norm as a checkpoint stores it: <c>NAME.weight</c> and, of a layer norm, <c>NAME.bias</c>, K values each.</summary>
/// <param name="Name">The tensors' name behind the prefix of the block, if it belongs to one.</param>
/// <param name="Kind">How it scales.</param>
/// <param name="Size">K.</param>
/// <param name="Epsilon">ε.</param>
public sealed record NormDescription(string Name, NormKind Kind, int Size, float Epsilon)
{
    /// <summary>Whether the weight is stored less one.</summary>
    public bool IsStoredLessOne { get; init; }
}
