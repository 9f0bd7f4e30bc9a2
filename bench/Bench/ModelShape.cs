namespace MASQuant.Bench;

/// <summary>The decoder's extents of a model that people quantize.</summary>
/// <param name="Name">Its size, as its name says it.</param>
/// <param name="Hidden">H.</param>
/// <param name="Intermediate">I.</param>
/// <param name="KeyValue">Outputs of k and of v.</param>
/// <param name="Layers">Blocks.</param>
/// <param name="IsHeadTied">Whether the head is the embedding.</param>
internal sealed record ModelShape(string Name, int Hidden, int Intermediate, int KeyValue, int Layers, bool IsHeadTied)
{
    /// <summary>Of every head.</summary>
    public const int HeadSize = 128;

    private static readonly ModelShape[] Known = [new("3B", 2048, 11008, 256, 36, true), new("7B", 3584, 18944, 512, 28, false)];

    /// <summary>Outputs and inputs of the layers that share an input.</summary>
    public IReadOnlyList<(int Outputs, int Inputs)> Groups =>
        [(Hidden + (2 * KeyValue), Hidden), (Hidden, Hidden), (2 * Intermediate, Hidden), (Hidden, Intermediate)];

    /// <summary>The shape of that name, or null.</summary>
    public static ModelShape? Find(string name) => Known.FirstOrDefault(shape => string.Equals(shape.Name, name, StringComparison.OrdinalIgnoreCase));
}
