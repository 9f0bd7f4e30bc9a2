namespace MASQuant.Cuda.Checks;

/// <summary>The shapes of products and attention that are timed, and so are checked.</summary>
/// <param name="Models">The decoders.</param>
/// <param name="Tokens">The numbers of tokens of a product.</param>
/// <param name="Prompt">Tokens of a prompt.</param>
/// <param name="Room">Positions behind it.</param>
public sealed record FullSizes(IReadOnlyList<ModelShape> Models, IReadOnlyList<int> Tokens, int Prompt, int Room);
