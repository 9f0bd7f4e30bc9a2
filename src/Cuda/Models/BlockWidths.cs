using MASQuant.Formats.Models;

namespace MASQuant.Cuda.Models;

/// <summary>The widest rows that steps of a decoder's blocks leave beside what layers give.</summary>
/// <param name="Values">What a state gives.</param>
/// <param name="Beside">Convolved columns, or queries without their gates, keys and values.</param>
/// <param name="Gates">Decays and strengths.</param>
internal readonly record struct BlockWidths(int Values, int Beside, int Gates)
{
    /// <summary>Those of a decoder; 0 where no block has such steps.</summary>
    public static BlockWidths Of(DecoderDescription decoder)
    {
        var widths = default(BlockWidths);
        foreach (var steps in decoder.Blocks.Select(block => block.Steps))
        {
            var splits = steps.Any(step => step is SplitGatesStep);
            foreach (var step in steps)
            {
                widths = step switch
                {
                    ConvolveStep convolve => widths with { Beside = Math.Max(widths.Beside, convolve.Channels) },
                    DeltaRuleStep delta => widths with { Values = Math.Max(widths.Values, delta.ValueHeads * delta.ValueSize), Gates = Math.Max(widths.Gates, 2 * delta.ValueHeads) },
                    AttendStep attend when splits => widths with { Beside = Math.Max(widths.Beside, (attend.Heads + (2 * attend.KeyValueHeads)) * attend.HeadSize) },
                    _ => widths,
                };
            }
        }

        return widths;
    }
}
