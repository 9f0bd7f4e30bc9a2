namespace MASQuant.Engine.Generation;

/// <summary>What an ended sequence's tokens have left: keys and values, or states. Sessions of its model read it; nothing changes it.</summary>
public interface IKeptTokens
{
    /// <summary>How many tokens.</summary>
    int Length { get; }

    /// <summary>What it takes of memory.</summary>
    long Bytes { get; }

    /// <summary>Behind how many of its first tokens a prompt can begin that shares so many of them: of a state there is only the last, and those that were kept.</summary>
    /// <param name="shared">The most.</param>
    int Usable(int shared) => shared;
}
