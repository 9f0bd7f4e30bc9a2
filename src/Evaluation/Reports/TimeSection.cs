using MASQuant.Evaluation.Markup;
using MASQuant.Evaluation.Reports.Charts;
using MASQuant.Quantization.Facts;

namespace MASQuant.Evaluation.Reports;

/// <summary>Where a run's time went.</summary>
internal static class TimeSection
{
    /// <summary>Writes the section.</summary>
    public static void Write(MarkupWriter html, RunTimes times)
    {
        var stages = Enum.GetValues<QuantizationStage>().Select(stage => (Stage: stage, Seconds: Seconds(times, stage))).Where(stage => stage.Seconds > 0).ToArray();
        var total = stages.Sum(stage => stage.Seconds);
        using (html.Element("div", ("class", "charts")))
        {
            BarChart.Write(html, $"{Figures.Duration(TimeSpan.FromSeconds(total))} in all", "Time of the run by stage.", [.. stages.Select(stage =>
                new Bar(Name(stage.Stage), stage.Seconds, $"{Figures.Duration(TimeSpan.FromSeconds(stage.Seconds))}, {Figures.Percent(stage.Seconds / total, 0)} %", ChartStyle.Of(0)))]);
        }

        html.Element("p", "Of the run that made the artifact; a block that an interrupted run had finished counts with the time it took then.", ("class", "soft"));
    }

    private static double Seconds(RunTimes times, QuantizationStage stage) => stage switch
    {
        QuantizationStage.Prepare => times.Prepare,
        QuantizationStage.Write => times.Write,
        _ => times.Blocks.Sum(block => block.GetValueOrDefault(stage.ToString())),
    };

    private static string Name(QuantizationStage stage) => stage switch
    {
        QuantizationStage.Prepare => "prepare",
        QuantizationStage.Calibrate => "calibrate",
        QuantizationStage.Smooth => "learn factors",
        QuantizationStage.Quantize => "choose codes",
        QuantizationStage.Compensate => "fit patches",
        _ => "write",
    };
}
