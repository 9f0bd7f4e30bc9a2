namespace MASQuant.Quantization.Smoothing;

/// <summary>The smoothing factors of one input group while they are learned, as logarithms. A modality owns its factor only in its deviating channels; elsewhere it follows the base modality, since one stored weight serves all and only a patch can carry the difference.</summary>
public sealed class GroupFactors
{
    private const Modality Base = Modality.Text;
    private readonly bool[][] _owns;

    /// <summary>Creates factors from logarithms [modality][K] and, per modality, the channels that it owns; the base owns all.</summary>
    public GroupFactors(float[][] logarithms, bool[][] owns)
    {
        Logarithms = logarithms;
        Gradients = [.. logarithms.Select(l => new float[l.Length])];
        _owns = owns;
        Deviating = [.. owns.Select((o, m) => m == (int)Base ? [] : Enumerable.Range(0, o.Length).Where(k => o[k]).ToArray())];
    }

    /// <summary>Whether the factors are learned; otherwise they stay as they are.</summary>
    public bool Learns { get; init; } = true;

    /// <summary>K.</summary>
    public int Inputs => Logarithms[0].Length;

    /// <summary>log s_m, [modality][K]; entries that a modality does not own are ignored.</summary>
    public float[][] Logarithms { get; }

    /// <summary>∂loss/∂<see cref="Logarithms"/>.</summary>
    public float[][] Gradients { get; }

    /// <summary>Per modality, the channels in which its factor differs from the base's, ascending.</summary>
    public int[][] Deviating { get; }

    /// <summary>s_m, K values.</summary>
    public float[] Factor(Modality modality)
    {
        var factor = new float[Inputs];
        for (var k = 0; k < factor.Length; k++)
        {
            factor[k] = (float)Elementary.Exp(Logarithms[Owner(modality, k)][k]);
        }

        return factor;
    }

    /// <summary>Adds ∂loss/∂log s_m[k] to whichever modality owns the channel.</summary>
    public void AddGradient(Modality modality, int k, float gradient) => Gradients[Owner(modality, k)][k] += gradient;

    private int Owner(Modality modality, int k) => _owns[(int)modality][k] ? (int)modality : (int)Base;
}
