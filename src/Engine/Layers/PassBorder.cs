namespace MASQuant.Engine.Layers;

/// <summary>What is thrown where a state that is there no more is asked for: a fault of the caller.</summary>
internal static class PassBorder
{
    public static InvalidOperationException Passed(int length) => new($"The state behind {length} tokens was passed, and nothing of it was kept.");
}
