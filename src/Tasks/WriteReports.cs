using MASQuant.Evaluation.Reports;
using MASQuant.Formats.Artifacts;
using Microsoft.Build.Framework;

namespace MASQuant.Tasks;

/// <summary>Writes the reports of models that were quantized, each beside its manifest in the store.</summary>
public class WriteReports : Microsoft.Build.Utilities.Task
{
    /// <summary>How a page's name ends, in place of a manifest's <c>.json</c>.</summary>
    internal const string Suffix = ".html";

    /// <summary>The pages to write: manifests of the store with <c>.html</c> for <c>.json</c>.</summary>
    [Required]
    public ITaskItem[] Pages { get; set; } = [];

    /// <inheritdoc/>
    public override bool Execute()
    {
        foreach (var page in Pages.Select(page => page.GetMetadata("FullPath")))
        {
            var model = page[..^Suffix.Length] + Path.GetExtension(ModelFiles.ManifestSuffix);
            try
            {
                QuantizationReport.Write(model, page);
            }
            catch (MASQuantException problem)
            {
                Log.LogError(problem);
            }
        }

        return !Log.HasLoggedErrors;
    }
}
