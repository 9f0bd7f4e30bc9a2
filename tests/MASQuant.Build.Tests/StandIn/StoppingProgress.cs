using System.Globalization;
using MASQuant.Quantization.Facts;

namespace MASQuant.Tasks;

/// <summary>Lets a run come to one place and no further, so that a test can kill it there.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Layer">The decoder block (from 0), or −1 outside blocks.</param>
/// <param name="Sign">The file that appears when the run stands still.</param>
internal sealed record StoppingProgress(QuantizationStage Stage, int Layer, string Sign) : IProgress<QuantizationProgress>
{
    /// <summary>The place that the environment names as <c>STAGE LAYER FILE</c>; null when it names none.</summary>
    public static StoppingProgress? FromEnvironment()
        => Environment.GetEnvironmentVariable("MASQUANT_TEST_STOP")?.Split(' ', 3) is [var stage, var layer, var sign]
            ? new(Enum.Parse<QuantizationStage>(stage), int.Parse(layer, CultureInfo.InvariantCulture), sign)
            : null;

    public void Report(QuantizationProgress value)
    {
        if (value.Stage == Stage && value.Layer == Layer)
        {
            File.WriteAllText(Sign, "");
            Thread.Sleep(Timeout.Infinite);
        }
    }
}
