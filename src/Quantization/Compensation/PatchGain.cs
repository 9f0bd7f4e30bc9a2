namespace MASQuant.Quantization.Compensation;

/// <summary>What a patch of one linear layer takes from the noise of its output, rank by rank.</summary>
/// <param name="Linear">The layer's name.</param>
/// <param name="Modality">Whose tokens it serves.</param>
/// <param name="Energy">‖R‖², the noise without a patch.</param>
/// <param name="Squares">σ² of the whitened residual, the largest first: what each further rank takes away.</param>
public sealed record PatchGain(string Linear, Modality Modality, double Energy, double[] Squares)
{
    /// <summary>What the first ranks take away together.</summary>
    public double Captured(int rank)
    {
        var sum = 0.0;
        for (var i = 0; i < Math.Min(rank, Squares.Length); i++)
        {
            sum += Squares[i];
        }

        return Math.Min(sum, Energy);
    }
}
