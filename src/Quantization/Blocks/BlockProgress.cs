using MASQuant.Formats.Models;
using MASQuant.Quantization.Facts;

namespace MASQuant.Quantization.Blocks;

/// <summary>Turns the steps of one block into the share of it that is done. The shares are those of a 3B layer with 51 200 tokens; they only shape the estimate of the time left.</summary>
/// <param name="block">The block.</param>
/// <param name="learns">Whether factors are learned, which comes first.</param>
/// <param name="report">Receives stage, modality and share, 0…1.</param>
internal sealed class BlockProgress(BlockDescription block, bool learns, Action<QuantizationStage, Modality?, double> report)
{
    private const double LearningShare = 0.7;
    private readonly double _start = learns ? LearningShare : 0;
    private readonly double[] _ends = Ends(block);

    /// <summary>Reports a step of learning.</summary>
    /// <param name="stage">The step.</param>
    /// <param name="done">The share of it that is done.</param>
    public void Learning(QuantizationStage stage, double done) => report(stage, null, LearningShare * (stage == QuantizationStage.Smooth ? 0.1 + (0.9 * done) : 0));

    /// <summary>Reports that a step of an input group begins.</summary>
    /// <param name="place">Of the group in the block.</param>
    /// <param name="stage">The step.</param>
    /// <param name="modality">The modality under way, or null.</param>
    public void Group(int place, QuantizationStage stage, Modality? modality = null)
    {
        var (start, end) = (place == 0 ? 0 : _ends[place - 1], _ends[place]);
        var done = stage switch
        {
            QuantizationStage.Calibrate => 0,
            QuantizationStage.Smooth => 0.25,
            QuantizationStage.Quantize => 0.28,
            _ when modality is null => 0.35,
            _ => 0.85,
        };
        report(stage, modality, _start + ((1 - _start) * (start + (done * (end - start)))));
    }

    // A group takes its weights' time, and that of its Gram matrix.
    private static double[] Ends(BlockDescription block)
    {
        var costs = block.Groups.Select(group =>
        {
            var linears = block.LinearsOf(group);
            var inputs = (double)linears[0].Inputs;
            return (inputs * linears.Sum(linear => linear.Outputs)) + (inputs * inputs / 4);
        }).ToArray();
        var sum = 0.0;
        return [.. costs.Select(cost => (sum += cost) / costs.Sum())];
    }
}
