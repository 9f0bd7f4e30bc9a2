using System.Globalization;
using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;

namespace MASQuant.Evaluation.Comparison;

/// <summary>One combination of a method, a scheme and values of swept options.</summary>
/// <param name="Method">A preset of <see cref="QuantizationMethod"/>.</param>
/// <param name="Swept">The swept options, in the order in which they were given.</param>
/// <param name="Job">What is quantized, how and where to.</param>
public sealed record ComparedModel(string Method, IReadOnlyList<SweptValue> Swept, QuantizationJob Job)
{
    /// <summary>The combination, with a name that tells it from the others in the folder of <paramref name="basis"/>.</summary>
    /// <param name="basis">What all models of the comparison share.</param>
    /// <param name="method">The method.</param>
    /// <param name="scheme">The scheme.</param>
    /// <param name="swept">The swept options.</param>
    public static ComparedModel Of(QuantizationJob basis, string method, string scheme, IReadOnlyList<SweptValue> swept)
    {
        var words = swept.Prepend(new SweptValue("Method", method)).Append(new SweptValue("Scheme", scheme)).ToDictionary(value => value.Option, value => value.Value);
        var part = basis.Subset is { } subset ? string.Create(CultureInfo.InvariantCulture, $"_{subset.Samples}_{subset.Seed}") : "";
        var name = ModelName.From($"{method}_{scheme}{string.Concat(swept.Select(value => $"_{value.Identifier}"))}{part}");
        var options = OptionTable.Read(words);
        return new ComparedModel(method, swept, basis with { Name = name, Options = options.WithLimitsOf(basis.Options) });
    }

    /// <summary>The artifact's file.</summary>
    public string Artifact => Path.Combine(Job.OutputFolder, Job.Name + ModelFiles.ArtifactSuffix);

    /// <summary>The scheme's name.</summary>
    public string Scheme => Job.Options.Scheme.ToString();

    /// <summary>Method, scheme and swept values, for people.</summary>
    public string Label => string.Join(' ', [Method, Scheme, .. Swept.Select(value => $"{value.Option}={value.Value}")]);

    /// <summary>How long it takes, relative to a method that learns nothing; it only shapes the estimate of the time left.</summary>
    public double Effort => Job.Options.Smoothing == SmoothingKind.None ? 1 : 1 + (2 * Job.Options.Epochs);
}
