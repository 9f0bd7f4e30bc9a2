namespace MASQuant.Engine.Generation;

/// <summary>How many tokens the model's own head guesses: as many as bring the most tokens for the time of a step, by how often guesses have come true of late.</summary>
internal sealed class GuessRate
{
    /// <summary>The time of a guess and of its row in the pass that verifies it, of a step's time (docs/performance.md).</summary>
    private const double Cost = 0.3;

    private const int MostGuesses = 3;
    private const int Memory = 16; // guesses that count
    private const int Pause = 16; // steps between guesses that see whether it is worth it again

    private double _rate = 0.5;
    private int _steps;

    /// <summary>How many tokens to guess.</summary>
    public int Next()
    {
        var (best, tokens, chance, length) = (1.0, 1.0, 1.0, 0);
        for (var guesses = 1; guesses <= MostGuesses; guesses++)
        {
            chance *= _rate;
            tokens += chance;
            if (tokens / (1 + (guesses * Cost)) is var gain && gain > best)
            {
                (best, length) = (gain, guesses);
            }
        }

        _steps = length > 0 ? 0 : _steps + 1;
        return length > 0 ? length : _steps % Pause == 0 ? 1 : 0;
    }

    /// <summary>Learns how many tokens of a guess, from its first on, have come true: those behind the first wrong one tell nothing.</summary>
    public void Learn(int guessed, int right)
    {
        for (var i = 0; i < Math.Min(guessed, right + 1); i++)
        {
            _rate += ((i < right ? 1 : 0) - _rate) / Memory;
        }
    }
}
