namespace MASQuant.Formats.Models.Qwen25;

/// <summary>Frames in equal steps from the first on, whole patches of them (<c>Qwen2VLVideoProcessor.sample_frames</c>).</summary>
/// <param name="framesPerPatch">Frames of a patch.</param>
internal sealed class StepSampling(int framesPerPatch) : FrameSampling
{
    /// <inheritdoc/>
    public override int Count(int total, double rate, double? perSecond, int? most)
    {
        // Where nothing has to be taken, the last frame is repeated to fill its patch.
        var count = base.Count(total, rate, perSecond, most);
        return count < framesPerPatch || (perSecond is null && count == total) ? count : count / framesPerPatch * framesPerPatch;
    }

    // In FP32, truncated, as torch.arange(0, total, total / count).int().
    /// <inheritdoc/>
    public override int[] Take(int total, int count)
    {
        var step = (double)total / count;
        return [.. Enumerable.Range(0, count).Select(i => (int)(float)(i * step))];
    }
}
