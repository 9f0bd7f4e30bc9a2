using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace MASQuant.Generators;

/// <summary>Writes a model's layers twice: <c>Layers[3].Mlp.DownProj</c>, to walk them, and <c>Layer3.Mlp.DownProj</c>, with constants and documentation of its own.</summary>
internal static class LayerEmitter
{
    private const string Loader = "global::MASQuant.Runtime.LayerLoader";
    private static readonly string[] Modalities = ["Text", "Vision", "Audio"];

    public static void Write(SourceWriter writer, ModelSpec model)
    {
        WriteShape(writer, model.Layers[0]);
        WriteTable(writer, model);
        foreach (var layer in model.Layers)
        {
            WriteLayer(writer, layer);
        }
    }

    /// <summary>The types that one layer's loaders have in common; every layer has the same linears.</summary>
    private static void WriteShape(SourceWriter writer, LayerSpec layer)
    {
        writer.Document("summary", "The linear layers of one decoder layer.").Open("public sealed class Layer");
        writer.Document("summary", "The layer's number, from 0.").Line("public required int Index { get; init; }").Line();
        foreach (var (module, name) in Named(layer.Modules, "Layer", module => module.Key))
        {
            writer.Document("summary", $"The linear layers of {module.Key}.").Line($"public required {name}Linears {name} {{ get; init; }}").Line();
        }

        foreach (var (module, name) in Named(layer.Modules, "Layer", module => module.Key))
        {
            writer.Document("summary", $"The linear layers of {module.Key}.").Open($"public sealed class {name}Linears");
            foreach (var (linear, member) in Named(module, name + "Linears", linear => linear.Member))
            {
                writer.Document("summary", linear.Name + ".").Line($"public required {Loader} {member} {{ get; init; }}").Line();
            }

            writer.Close().Line();
        }

        writer.Close().Line();
    }

    private static void WriteTable(SourceWriter writer, ModelSpec model)
    {
        writer.Document("summary", "Every decoder layer, in order.");
        writer.Line("public static global::System.Collections.Generic.IReadOnlyList<Layer> Layers { get; } = global::System.Array.AsReadOnly(new Layer[]").Line("{");
        foreach (var layer in model.Layers)
        {
            var modules = Named(layer.Modules, "Layer", module => module.Key).Select(module =>
                $"{module.Name} = new() {{ {string.Join(", ", Named(module.Item, module.Name + "Linears", linear => linear.Member).Select(linear => $"{linear.Name} = Layer{layer.Index}.{module.Name}.{linear.Name}.Loader"))} }}");
            writer.Line($"    new() {{ Index = {layer.Index}, {string.Join(", ", modules)} }},");
        }

        writer.Line("});").Line();
    }

    private static void WriteLayer(SourceWriter writer, LayerSpec layer)
    {
        writer.Document("summary", $"Decoder layer {layer.Index}.").Open($"public static class Layer{layer.Index}");
        foreach (var (module, name) in Named(layer.Modules, "Layer" + layer.Index, module => module.Key))
        {
            writer.Document("summary", $"The linear layers of {module.Key}.").Open($"public static class {name}");
            foreach (var (linear, member) in Named(module, name, linear => linear.Member))
            {
                WriteLinear(writer, layer.Index, linear, member);
            }

            writer.Close().Line();
        }

        writer.Close().Line();
    }

    private static void WriteLinear(SourceWriter writer, int layer, LinearSpec linear, string member)
    {
        writer.Document("summary", Summary(layer, linear));
        if (linear.Sqnr.Count > 0)
        {
            writer.Document("remarks", "SQNR of the output on the calibration set: " + string.Join("; ", linear.Sqnr.OrderBy(sqnr => Array.IndexOf(Modalities, sqnr.Modality)).Select(sqnr => Describe(sqnr, linear))) + ".");
        }

        writer.Open($"public static class {member}");
        ModelEmitter.WriteConstant(writer, "int", "Outputs", Number(linear.Outputs), "N, the number of output features.");
        ModelEmitter.WriteConstant(writer, "int", "Inputs", Number(linear.Inputs), "K, the number of input features.");
        ModelEmitter.WriteConstant(writer, "string", "Scheme", Literals.Text(linear.Scheme), "Bits of weights and activations.");
        ModelEmitter.WriteConstant(writer, "int", "RankVision", Number(linear.RankVision), "The rank of the vision tokens' patch; 0: none.");
        ModelEmitter.WriteConstant(writer, "int", "RankAudio", Number(linear.RankAudio), "The rank of the audio tokens' patch; 0: none.");
        writer
            .Document("summary", "Loads this layer alone.")
            .Line($"public static {Loader} Loader {{ get; }} = new({Number(layer)}, {Literals.Text(linear.Name)}, "
                + $"Outputs, Inputs, {Literals.Scheme(linear.Scheme)}, RankVision, RankAudio);")
            .Close().Line();
    }

    private static string Summary(int layer, LinearSpec linear)
        => $"{linear.Name} of layer {Number(layer)}: [{Number(linear.Outputs)}, {Number(linear.Inputs)}], {linear.Scheme}"
            + (linear.Bytes > 0 ? $", {ModelEmitter.Number(linear.Bytes)} bytes." : ".");

    private static string Describe(SqnrSpec sqnr, LinearSpec linear)
    {
        var rank = sqnr.Modality switch { "Vision" => linear.RankVision, "Audio" => linear.RankAudio, _ => 0 };
        return rank == 0
            ? $"{sqnr.Modality.ToLowerInvariant()} {Decibels(sqnr.After)} dB"
            : $"{sqnr.Modality.ToLowerInvariant()} {Decibels(sqnr.Before)} → {Decibels(sqnr.After)} dB (rank {Number(rank)})";
    }

    /// <summary>Gives each item a member name of its own inside <paramref name="enclosing"/>, the same on every call.</summary>
    private static IEnumerable<(T Item, string Name)> Named<T>(IEnumerable<T> items, string enclosing, Func<T, string> name)
    {
        var taken = new HashSet<string> { enclosing, "Index", "Outputs", "Inputs", "Scheme", "RankVision", "RankAudio", "Loader" };
        return items.Select(item => (item, Identifiers.Escape(Identifiers.Unique(Identifiers.Pascal(name(item)), taken)))).ToArray();
    }

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Decibels(double value) => Math.Round(value, 1).ToString("F1", CultureInfo.InvariantCulture);
}
