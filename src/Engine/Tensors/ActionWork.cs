namespace MASQuant.Engine.Tensors;

/// <summary>A delegate as work.</summary>
internal sealed class ActionWork(Action<int> body) : IWork
{
    /// <inheritdoc/>
    public void Run(int piece) => body(piece);
}
