using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace MASQuant.Extensions.AI;

/// <summary>The traces and metrics of models, in the words of OpenTelemetry's conventions for generative AI. Texts and media are in none of them.</summary>
/// <remarks>
/// A span <c>chat MODEL</c> for each request, of kind internal, with <c>gen_ai.*</c> attributes of request, response and usage. Histograms in seconds: <c>gen_ai.server.request.duration</c>,
/// <c>gen_ai.server.time_to_first_token</c>, <c>gen_ai.server.time_per_output_token</c>. The <c>gen_ai.client.*</c> metrics are those of <c>UseOpenTelemetry</c>, which may stand on top.
/// </remarks>
public static class MASQuantTelemetry
{
    /// <summary>The name of the source of spans and of the meter, for <c>AddSource</c> and <c>AddMeter</c>.</summary>
    public const string Name = "MASQuant.Extensions.AI";

    internal static readonly ActivitySource Source = new(Name);

    private static readonly Meter Meter = new(Name);

    // Boundaries as the conventions give them.
    internal static readonly Histogram<double> Duration = Seconds(
        "gen_ai.server.request.duration", "Generative AI server request duration such as time-to-last byte or last output token.",
        0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92);

    internal static readonly Histogram<double> TimeToFirstToken = Seconds(
        "gen_ai.server.time_to_first_token", "Time to generate first token for successful responses.",
        0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0);

    internal static readonly Histogram<double> TimePerOutputToken = Seconds(
        "gen_ai.server.time_per_output_token", "Time per output token generated after the first token for successful responses.",
        0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5);

    private static Histogram<double> Seconds(string name, string description, params double[] boundaries)
        => Meter.CreateHistogram(name, "s", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = boundaries });
}
