using MASQuant.Quantization.Numerics;

namespace MASQuant.Evaluation.Scores;

/// <summary>Energies of every decoder block's output in full precision and of a model's deviation from it, by the modality of the token.</summary>
/// <param name="layers">The number of decoder blocks.</param>
public sealed class BlockNoise(int layers)
{
    private readonly (double Signal, double Noise)[] _energies = new (double, double)[layers * ModalityMap.ModalityCount];

    /// <summary>The number of decoder blocks.</summary>
    public int Layers => layers;

    /// <summary>Adds a block's output for a sequence, [T, H] each.</summary>
    public void Add(int layer, Matrix reference, Matrix actual, ModalityMap modalities)
    {
        for (var t = 0; t < reference.Rows; t++)
        {
            var (signal, noise) = Sqnr.Energies(reference.Row(t), actual.Row(t));
            Add(Index(layer, modalities[t]), signal, noise);
        }
    }

    /// <summary>Adds what another has summed.</summary>
    public void Add(BlockNoise other)
    {
        for (var i = 0; i < _energies.Length; i++)
        {
            Add(i, other._energies[i].Signal, other._energies[i].Noise);
        }
    }

    /// <summary>The SQNR of each block's output at the tokens of a modality, in dB.</summary>
    public double[] Decibels(Modality modality)
        => [.. Enumerable.Range(0, layers).Select(layer => _energies[Index(layer, modality)]).Select(energy => Sqnr.Decibels(energy.Signal, energy.Noise))];

    private static int Index(int layer, Modality modality) => (layer * ModalityMap.ModalityCount) + (int)modality;

    private void Add(int index, double signal, double noise) => _energies[index] = (_energies[index].Signal + signal, _energies[index].Noise + noise);
}
