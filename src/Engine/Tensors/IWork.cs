namespace MASQuant.Engine.Tensors;

/// <summary>Work in independent pieces, for <see cref="Workers"/>.</summary>
internal interface IWork
{
    /// <summary>Does piece <paramref name="piece"/>, on any thread.</summary>
    void Run(int piece);
}
