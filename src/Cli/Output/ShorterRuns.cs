using System.Globalization;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Planning;

namespace MASQuant.Cli.Output;

/// <summary>What would make a planned run shorter, with the time it would take then.</summary>
internal static class ShorterRuns
{
    private const int Machines = 4;
    private const int FewestSamples = 16;

    // Shorter runs are not worth another machine or a package.
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    /// <summary>One line; empty where nothing is left.</summary>
    /// <param name="plan">The run.</param>
    /// <param name="whole">The whole calibration set.</param>
    /// <param name="speed">Operations per second.</param>
    public static string Describe(QuantizationPlan plan, CalibrationExtent whole, double speed)
    {
        var options = plan.Options;
        var ways = new List<string>();
        string Time(double operations) => Figures.Estimate(TimeSpan.FromSeconds(operations / speed));
        if (options.Effort != EffortKind.Fast)
        {
            ways.Add($"--effort Fast takes about {Time(plan.OperationsAt(options with { Effort = EffortKind.Fast }, whole))}");
        }

        if (TimeSpan.FromSeconds(plan.Operations / speed) > Long)
        {
            if (options.SamplesOf(whole.Samples) == whole.Samples && whole.Samples / 2 >= FewestSamples)
            {
                ways.Add(string.Create(CultureInfo.InvariantCulture, $"--samples {whole.Samples / 2} about {Time(plan.OperationsAt(options, whole.Part(whole.Samples / 2)))}"));
            }

            if (plan.Config.Text.Layers >= Machines)
            {
                ways.Add(string.Create(CultureInfo.InvariantCulture, $"{Machines} machines, each with --blocks I/{Machines}, about {Time(plan.Operations / Machines)}"));
            }

            if (options.Compute == ComputeKind.Managed)
            {
                ways.Add("a GPU takes --compute Torch:cuda");
            }
        }

        return ways.Count == 0 ? "" : $"Sooner: {string.Join("; ", ways)}.";
    }
}
