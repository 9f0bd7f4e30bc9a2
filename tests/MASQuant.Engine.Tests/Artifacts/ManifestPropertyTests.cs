using FsCheck;
using FsCheck.Fluent;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Schemes;

namespace MASQuant.Engine.Tests.Artifacts;

/// <summary>Whatever a manifest may say is read as it was written.</summary>
public class ManifestPropertyTests
{
    // Letters of every kind that JSON escapes or not, and whole characters beyond 16 bits.
    private static readonly Gen<string> Text = Gen.Elements("a", "é", "\"", "\\", "\n", "\0", "<", "\u2028", "模", "😀", "/", "{").ArrayOf().Select(string.Concat);

    // Figures are kept to four decimals and 999 dB.
    private static readonly Gen<double> Figure = Gen.Choose(-9_990_000, 9_990_000).Select(number => number / 10_000.0);

    private static readonly Gen<int> Extent = Gen.Choose(1, int.MaxValue);

    private static readonly Gen<string> Scheme = Gen.Elements(QuantizationScheme.All.Select(scheme => scheme.ToString()).ToArray());

    private static readonly Gen<ManifestLinear> Linear =
        from name in Text
        from @group in Gen.Elements(Enum.GetNames<InputGroup>())
        from extents in Extent.ArrayOf(3)
        from scheme in Scheme
        from figures in Figure.ArrayOf(4)
        from modalities in Gen.SubListOf(Enum.GetNames<Modality>())
        select new ManifestLinear
        {
            Name = name,
            Group = @group,
            Outputs = extents[0],
            Inputs = extents[1],
            Bias = figures[0] > 0,
            Scheme = scheme,
            Bytes = extents[2] * 500L,
            Ranks = modalities.ToDictionary(modality => modality, _ => extents[2]),
            EffectiveRanks = modalities.ToDictionary(modality => modality, _ => new ManifestEffectiveRank(figures[0], figures[1])),
            Sqnr = modalities.ToDictionary(modality => modality, _ => new ManifestSqnr(figures[2], figures[3])),
        };

    private static readonly Gen<Manifest> Any =
        from texts in Text.ArrayOf(8)
        from extents in Extent.ArrayOf(8)
        from linears in Linear.ArrayOf().ArrayOf()
        from scheme in Scheme
        from options in Text.ArrayOf()
        select new Manifest
        {
            ToolVersion = texts[0],
            Name = texts[1],
            Source = texts[2],
            Quantized = extents[0] % 2 == 0,
            Artifact = "A.masquant.safetensors",
            ArtifactBytes = extents[1] * 500L,
            Model = new ManifestModel { Family = texts[3], Modalities = ["Text", "Audio"], HiddenSize = extents[2], IntermediateSize = extents[3], AttentionHeads = extents[4], KeyValueHeads = extents[5], VocabularySize = extents[6], MaxPositions = extents[7] },
            Tokenizer = new ManifestTokenizer { Tokens = extents[0], Sha256 = texts[4] },
            Scheme = scheme,
            Options = options.Distinct().ToDictionary(option => option, _ => texts[5]),
            Calibration = extents[1] % 2 == 0 ? null : new ManifestCalibration { File = texts[6], Sha256 = texts[7], Samples = extents[2], SubsetSeed = ulong.MaxValue - (ulong)extents[3], Tokens = new Dictionary<string, long> { ["Audio"] = extents[4] } },
            Parts = extents[1] % 3 == 0 ? null : texts[..2],
            Layers = [.. linears.Select((layer, index) => new ManifestLayer { Index = index, Linears = layer })],
        };

    [Fact]
    public void What_is_written_is_read() => Prop.ForAll(Any.ToArbitrary(), manifest =>
    {
        var read = ManifestFile.Parse(ManifestFile.Serialize(manifest), "m");
        return Facts(read).SequenceEqual(Facts(manifest));
    }).Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithReplay(17, 23));

    // Records compare maps and lists by reference; their values one after the other compare by value.
    private static IEnumerable<object?> Facts(Manifest manifest) =>
    [
        manifest.ToolVersion, manifest.Name, manifest.Source, manifest.Quantized, manifest.Artifact, manifest.ArtifactBytes, manifest.Scheme, manifest.Tokenizer,
        manifest.Model.Family, manifest.Model.HiddenSize, manifest.Model.IntermediateSize, manifest.Model.AttentionHeads, manifest.Model.KeyValueHeads, manifest.Model.VocabularySize, manifest.Model.MaxPositions, .. manifest.Model.Modalities,
        .. Entries(manifest.Options), manifest.Calibration?.File, manifest.Calibration?.Sha256, manifest.Calibration?.Samples, manifest.Calibration?.SubsetSeed, .. Entries(manifest.Calibration?.Tokens), manifest.Parts is null, .. manifest.Parts ?? [],
        .. manifest.Layers.SelectMany(layer => layer.Linears.SelectMany(linear => (object?[])[layer.Index, linear.Name, linear.Group, linear.Outputs, linear.Inputs, linear.Bias, linear.Scheme, linear.Bytes, .. Entries(linear.Ranks), .. Entries(linear.EffectiveRanks), .. Entries(linear.Sqnr)])),
    ];

    private static IEnumerable<object?> Entries<T>(IReadOnlyDictionary<string, T>? map) => (map ?? new Dictionary<string, T>()).OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (object?)(entry.Key, entry.Value));
}
