using System.Text;
using MASQuant.Evaluation.Budgets;
using MASQuant.Formats.Files;

namespace MASQuant.Evaluation.Reports;

/// <summary>The report of one quantized model.</summary>
public static class QuantizationReport
{
    /// <summary>Writes a self-contained HTML page: sizes, SQNR by layer and modality before and after compensation, smoothing misalignment, effective ranks, spectra and time by stage, as far as the run left them beside the artifact.</summary>
    /// <param name="model">An artifact or a manifest.</param>
    /// <param name="file">The page.</param>
    /// <param name="budgets">What was demanded of it; null: nothing.</param>
    /// <exception cref="MASQuantException">The model cannot be read, or MASQ0111: the page cannot be written.</exception>
    public static void Write(string model, string file, ModelBudgets? budgets = null) => AtomicFile.Write(file, Encoding.UTF8.GetBytes(Render(ReportModel.Read(model), budgets)));

    /// <summary>The page.</summary>
    internal static string Render(ReportModel model, ModelBudgets? budgets = null)
        => ReportPage.Render($"{model.Manifest.Name}, {SchemeMix.Of(model.Manifest)}", SummarySection.Origin(model.Manifest), QuantizationVerdict.Of(model, budgets ?? new ModelBudgets()), Sections(model, ""));

    /// <summary>The sections about one model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="prefix">Begins their anchors, where a page has several models.</param>
    public static IEnumerable<ReportSection> Sections(ReportModel model, string prefix)
    {
        yield return new(prefix + "summary", "Summary", html => SummarySection.Write(html, model));
        yield return new(prefix + "sqnr", "SQNR by layer and modality", html => SqnrSection.Write(html, model.Manifest));
        if (model.Facts is { } facts)
        {
            if (facts.Blocks.Any(block => block.Misalignment.Count > 0))
            {
                yield return new(prefix + "misalignment", "Smoothing misalignment", html => MisalignmentSection.Write(html, facts));
            }

            if (facts.Blocks.Any(block => block.Spectra.Count > 0))
            {
                yield return new(prefix + "residuals", "Residuals: effective rank and spectra", html => ResidualSection.Write(html, model.Manifest, facts));
            }
        }

        if (model.Times is { } times)
        {
            yield return new(prefix + "time", "Time by stage", html => TimeSection.Write(html, times));
        }

        yield return new(prefix + "layers", "Every layer", html => LayerSection.Write(html, model.Manifest));
    }
}
