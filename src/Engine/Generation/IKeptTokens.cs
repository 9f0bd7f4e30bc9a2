namespace MASQuant.Engine.Generation;

/// <summary>The keys and values of an ended sequence's tokens. Sessions of its model read it; nothing changes it.</summary>
public interface IKeptTokens
{
    /// <summary>How many tokens.</summary>
    int Length { get; }

    /// <summary>What it takes of memory.</summary>
    long Bytes { get; }
}
