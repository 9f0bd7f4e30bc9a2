using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;
using MASQuant.Generators.Json;

namespace MASQuant.Generators;

/// <summary>Turns a manifest's text into a <see cref="ModelSpec"/>. <c>docs/artifact-format.md</c> specifies the format.</summary>
internal static class ManifestParser
{
    /// <summary>The format version that this generator reads.</summary>
    public const int FormatVersion = 4;

    private static readonly string[] Groups = ["Qkv", "O", "GateUp", "Down"];
    private static readonly Regex SchemeName = new(@"\AW[0-9]{1,2}A[0-9]{1,2}\z", RegexOptions.CultureInvariant);

    public static ManifestParseResult Parse(string path, string text)
    {
        try
        {
            var root = JsonParser.Parse(text).Expect(JsonKind.Object, "manifest");
            var version = root.GetInt("formatVersion");
            return version == FormatVersion
                ? new ManifestParseResult(path, ReadModel(root), null)
                : new ManifestParseResult(path, null, ManifestProblem.At(Diagnostics.OtherFormatVersion, text, root.Get("formatVersion").Position, version.ToString()));
        }
        catch (JsonFormatException exception)
        {
            return new ManifestParseResult(path, null, ManifestProblem.At(Diagnostics.MalformedManifest, text, exception.Position, exception.Message));
        }
    }

    private static ModelSpec ReadModel(JsonValue root)
    {
        var model = root.Get("model").Expect(JsonKind.Object, "model");
        var layers = ReadLayers(root.Get("layers"));
        ManifestShape.Check(root);
        return new ModelSpec
        {
            Name = root.GetText("name"),
            Source = root.GetText("source"),
            Quantized = root.GetBoolean("quantized"),
            Artifact = ReadFileName(root.Get("artifact")),
            ArtifactBytes = root.GetLong("artifactBytes"),
            Family = model.GetText("family"),
            Scheme = ReadScheme(root.Get("scheme")),
            Facts = new EquatableArray<Fact>(ReadFacts(model, root.Get("tokenizer"), layers.Length)),
            Layers = new EquatableArray<LayerSpec>(layers),
        };
    }

    private static IEnumerable<Fact> ReadFacts(JsonValue model, JsonValue tokenizer, int layers) =>
    [
        new("LayerCount", layers, "The number of decoder layers."),
        new("HiddenSize", model.GetExtent("hiddenSize"), "The width of the residual stream."),
        new("IntermediateSize", model.GetExtent("intermediateSize"), "The width between gate/up and down."),
        new("AttentionHeads", model.GetExtent("attentionHeads"), "Query heads."),
        new("KeyValueHeads", model.GetExtent("keyValueHeads"), "Key and value heads."),
        new("VocabularySize", model.GetExtent("vocabularySize"), "Rows of the embedding."),
        new("MaxPositions", model.GetExtent("maxPositions"), "The longest sequence, in tokens."),
        new("TokenCount", tokenizer.GetInt("tokens"), "Tokens of the tokenizer, added ones included."),
    ];

    private static LayerSpec[] ReadLayers(JsonValue list)
    {
        var layers = list.Expect(JsonKind.List, "layers").Items.Select(ReadLayer).ToArray();
        if (layers.Length == 0)
        {
            throw new JsonFormatException(list.Position, "'layers' is empty");
        }

        var names = layers[0].Linears.Select(linear => linear.Name).ToArray();
        var other = Array.FindIndex(layers, layer => !layer.Linears.Select(linear => linear.Name).SequenceEqual(names));
        return other < 0 ? layers : throw new JsonFormatException(list.Items[other].Position, $"layer {other} has other linears than layer 0");
    }

    private static LayerSpec ReadLayer(JsonValue layer, int position)
    {
        var index = layer.GetInt("index");
        if (index != position)
        {
            throw new JsonFormatException(layer.Position, $"layer {index} stands where layer {position} is expected");
        }

        var linears = layer.GetItems("linears").Select(ReadLinear).ToArray();
        var twice = linears.GroupBy(linear => linear.Name).FirstOrDefault(same => same.Count() > 1);
        return twice is null
            ? new LayerSpec(index, new EquatableArray<LinearSpec>(linears))
            : throw new JsonFormatException(layer.Position, $"layer {index} has '{twice.Key}' twice");
    }

    private static LinearSpec ReadLinear(JsonValue linear)
    {
        var ranks = linear.GetMembers("ranks").Select(rank => (Modality: ManifestShape.Modality(rank), Value: rank.Value.ToExtent(rank.Key))).ToArray();
        int Rank(string modality) => ranks.FirstOrDefault(rank => rank.Modality == modality).Value;
        return new LinearSpec
        {
            Name = ReadName(linear.Get("name")),
            Group = ReadGroup(linear.Get("group")),
            Outputs = linear.GetExtent("outputs"),
            Inputs = linear.GetExtent("inputs"),
            Scheme = ReadScheme(linear.Get("scheme")),
            Bytes = linear.GetLong("bytes"),
            RankVision = Rank("Vision"),
            RankAudio = Rank("Audio"),
            Sqnr = new EquatableArray<SqnrSpec>(linear.GetMembers("sqnr").Select(sqnr => new SqnrSpec(
                ManifestShape.Modality(sqnr),
                sqnr.Value.Get("before").ToDouble("before"),
                sqnr.Value.Get("after").ToDouble("after")))),
        };
    }

    // The class loads this file from the application's folder, and from nowhere else.
    private static string ReadFileName(JsonValue name)
        => name.Expect(JsonKind.Text, "artifact").Text is { Length: > 0 } text && text is not ("." or "..") && text.IndexOfAny(['/', '\\', ':', '\0']) < 0
            ? text
            : throw new JsonFormatException(name.Position, $"'{name.Text}' is not a file name");

    private static string ReadName(JsonValue name)
    {
        var parts = name.Expect(JsonKind.Text, "name").Text.Split('.');
        return parts.Length == 2 && parts.All(part => part.Length > 0)
            ? name.Text
            : throw new JsonFormatException(name.Position, $"'{name.Text}' is not 'module.linear'");
    }

    private static string ReadScheme(JsonValue scheme)
        => SchemeName.IsMatch(scheme.Expect(JsonKind.Text, "scheme").Text)
            ? scheme.Text
            : throw new JsonFormatException(scheme.Position, $"'{scheme.Text}' is not a scheme such as W4A8");

    private static string ReadGroup(JsonValue group)
        => Array.IndexOf(Groups, group.Expect(JsonKind.Text, "group").Text) >= 0
            ? group.Text
            : throw new JsonFormatException(group.Position, $"'{group.Text}' is not one of {string.Join(", ", Groups)}");
}
