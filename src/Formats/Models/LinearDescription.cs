namespace MASQuant.Formats.Models;

/// <summary>A linear layer, y = x · Wᵀ + b, as a checkpoint stores it: <c>NAME.weight</c> [N, K] and <c>NAME.bias</c> [N].</summary>
/// <param name="Name">The tensors' name behind the prefix of the block, if it belongs to one.</param>
/// <param name="Outputs">N.</param>
/// <param name="Inputs">K.</param>
/// <param name="Bias">Whether there is a bias.</param>
public sealed record LinearDescription(string Name, int Outputs, int Inputs, BiasPresence Bias = BiasPresence.Optional);
