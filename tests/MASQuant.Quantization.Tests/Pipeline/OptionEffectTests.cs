using MASQuant.Quantization;

namespace MASQuant.Tests.Pipeline;

/// <summary>An option that does nothing would leave the artifact as it is; the manifest, which names the option, is left out of the comparison.</summary>
public class OptionEffectTests
{
    private static readonly Dictionary<string, string> Base = new() { ["Epochs"] = "0", ["Rank"] = "4", ["DeviatingChannels"] = "2", ["Clipping"] = "Rounding", ["Alternations"] = "0", ["ModalityWeights"] = "1,1,1" };

    private static readonly Lazy<string> Unchanged = new(() => Codes([]));

    [Theory]
    [InlineData("Alternations", "1")]
    [InlineData("Clipping", "None")]
    [InlineData("Clipping", "Output")]
    [InlineData("GroupSize", "128")]
    [InlineData("ModalityWeights", "auto")]
    [InlineData("Rotation", "Down")]
    [InlineData("Rotation", "All")]
    [InlineData("WeightQuantizer", "Rtn")]
    [InlineData("Compensation", "Weight")]
    public void Every_option_changes_what_is_stored(string option, string value)
        => Assert.NotEqual(Unchanged.Value, Codes(new() { [option] = value }));

    private static string Codes(Dictionary<string, string> changes)
    {
        using var folder = new TemporaryDirectory();
        var words = new Dictionary<string, string>(Base);
        foreach (var (option, value) in changes)
        {
            words[option] = value;
        }

        var job = TinyRun.Job(folder.Path, OptionTable.Read(words));
        QuantizationPipeline.Run(job);
        return TinyRun.TensorHash(job);
    }
}
