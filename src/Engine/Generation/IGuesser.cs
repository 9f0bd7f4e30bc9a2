namespace MASQuant.Engine.Generation;

/// <summary>Who guesses tokens learns how many came true.</summary>
internal interface IGuesser
{
    /// <summary>Learns how many tokens of a guess, from its first on, have come true.</summary>
    void Learn(int guessed, int right);
}
