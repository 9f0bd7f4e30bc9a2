using System.Runtime.InteropServices;

namespace MASQuant.Engine.Generation;

/// <summary>How one token is drawn from its logits: all that chance decides, and the parameters, as the device reads them too. Everything after the weights is integer, so that whoever adds in whatever order draws the same token.</summary>
/// <param name="Random">64 random bits r: of the kept tokens by rising id, the first at which the sum of weights exceeds ⌊total · r / 2⁶⁴⌋ is drawn.</param>
/// <param name="TopP">p · 2⁶⁴, rounded up; 0: all tokens are kept.</param>
/// <param name="Scale">1/temperature, finite; 0: the largest logit alone decides.</param>
/// <param name="TopK">k; 0: all tokens are kept.</param>
/// <param name="MinWeight">The least weight of those kept by k and p that are drawn from, ⌈minimum p · 2³⁹⌉; 0: all are.</param>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct TokenDraw(ulong Random, ulong TopP, float Scale, int TopK, ulong MinWeight = 0)
{
    /// <summary>The size of one.</summary>
    public const int Bytes = 32;

    /// <summary>The sum of weights that the top p must reach: ⌈p · total⌉.</summary>
    public ulong Wanted(ulong total) => Math.BigMul(total, TopP, out var low) + (low != 0 ? 1ul : 0);

    /// <summary>The sum of weights at which the drawn token is found, 1 … total.</summary>
    public ulong Target(ulong total) => Math.BigMul(total, Random, out _) + 1;
}
