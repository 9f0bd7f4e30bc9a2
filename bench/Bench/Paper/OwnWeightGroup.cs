using MASQuant.Engine.Layers;

namespace MASQuant.Bench.Paper;

/// <summary>An input group with a quantized weight for each modality, Y = Q_a(X_m/s_m)·Q_w(s_m⊙W)ᵀ: what MAS alone means (paper Eq. 13). No artifact stores it, since it multiplies the weights by the number of modalities.</summary>
/// <param name="groups">One per modality, indexed by <see cref="Modality"/>, each of the same layers.</param>
internal sealed class OwnWeightGroup(IReadOnlyList<QuantizedLinearGroup> groups) : ILinearGroup
{
    public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
    {
        foreach (var modality in Enum.GetValues<Modality>().Where(modality => modalities.CountOf(modality) > 0).ToArray())
        {
            var own = new Matrix[outputs.Length];
            for (var i = 0; i < own.Length; i++)
            {
                own[i] = new Matrix(x.Rows, outputs[i].Columns);
            }

            // Rows of other modalities are computed too and thrown away: this is for measuring, not for speed.
            groups[(int)modality].Forward(x, modalities, own);
            for (var i = 0; i < own.Length; i++)
            {
                for (var t = 0; t < x.Rows; t++)
                {
                    if (modalities[t] == modality)
                    {
                        own[i].Row(t).CopyTo(outputs[i].Row(t));
                    }
                }
            }
        }
    }
}
