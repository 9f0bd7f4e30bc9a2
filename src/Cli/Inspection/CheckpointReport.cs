using System.Text;
using System.Text.Json;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Planning;

namespace MASQuant.Cli.Inspection;

/// <summary>A checkpoint: what it holds and what would be quantized.</summary>
/// <param name="Path">The folder.</param>
/// <param name="Config">Its configuration.</param>
/// <param name="Linears">The decoder's linear layers, which would be quantized.</param>
/// <param name="OtherBytes">Bytes of everything that stays, by part.</param>
/// <param name="Schemes">The schemes whose packing takes every layer's shape.</param>
internal sealed record CheckpointReport(string Path, ModelConfig Config, IReadOnlyList<CheckpointLinear> Linears, IReadOnlyList<(string Part, long Bytes)> OtherBytes, IReadOnlyList<string> Schemes)
{
    /// <exception cref="MASQuantException">The configuration cannot be read, or a layer is missing.</exception>
    public static CheckpointReport Of(Checkpoint checkpoint)
    {
        var config = ModelConfigReader.Read(checkpoint);
        var linears = new List<CheckpointLinear>();
        foreach (var (layer, block) in config.Decoder().Blocks.Index())
        {
            foreach (var linear in block.Linears)
            {
                var name = $"{block.Prefix}{linear.Name}.weight";
                var tensor = checkpoint.Find(name);
                linears.Add(new CheckpointLinear(layer, linear, name, tensor.Type.FileName(), tensor.Bytes));
            }
        }

        var quantized = linears.Select(linear => linear.TensorName).ToHashSet();
        var others = checkpoint.Tensors.Where(tensor => !quantized.Contains(tensor.Name))
            .GroupBy(tensor => ModelPart.Of(tensor.Name, quantized), tensor => tensor.Bytes)
            .Select(group => (group.Key, group.Sum())).OrderBy(part => part.Key, StringComparer.Ordinal);
        var schemes = QuantizationScheme.All.Where(scheme => linears.All(linear => Fits(linear.Shape, scheme))).Select(scheme => scheme.ToString());
        return new(checkpoint.Path, config, linears, [.. others], [.. schemes]);
    }

    public void Write(TextWriter writer)
    {
        writer.WriteLine($"{Path}: {Config.Family}, full precision");
        writer.WriteLine(ModelFactsLine.Of(Config));
        writer.WriteLine();
        var table = new TextTable(2, "layer", "type", "outputs × inputs", "bytes", "8-bit codes", "4-bit codes");
        foreach (var linear in Linears)
        {
            var (outputs, inputs) = (linear.Shape.Outputs, linear.Shape.Inputs);
            table.Add(
                FormattableString.Invariant($"{linear.Layer}.{linear.Shape.Name}"),
                linear.Type,
                FormattableString.Invariant($"{outputs} × {inputs}"),
                Figures.Bytes(linear.Bytes),
                Figures.Bytes(PackingLayout.PackedBytes(outputs, inputs, 8)),
                Figures.Bytes(PackingLayout.PackedBytes(outputs, inputs, 4)));
        }

        table.Write(writer);
        writer.WriteLine();
        var others = string.Join(", ", OtherBytes.Select(part => $"{part.Part} {Figures.Bytes(part.Bytes)}"));
        writer.WriteLine($"Would be quantized: {Figures.Bytes(Linears.Sum(linear => linear.Bytes))} in {Linears.Count} layers. Would stay: {others}.");
        writer.WriteLine($"Schemes that fit every shape: {(Schemes.Count > 0 ? string.Join(", ", Schemes) : "none")}.");
    }

    public void WriteJson(TextWriter writer)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteString("path", Path);
            json.WriteString("family", Config.Family.Name);
            Strings(json, "modalities", Config.Modalities.Select(modality => modality.ToString()));
            Strings(json, "schemes", Schemes);
            json.WriteStartObject("otherBytes");
            foreach (var (part, bytes) in OtherBytes)
            {
                json.WriteNumber(part, bytes);
            }

            json.WriteEndObject();
            json.WriteStartArray("linears");
            foreach (var linear in Linears)
            {
                json.WriteStartObject();
                json.WriteNumber("layer", linear.Layer);
                json.WriteString("name", linear.Shape.Name);
                json.WriteString("group", linear.Shape.Group.ToString());
                json.WriteNumber("outputs", linear.Shape.Outputs);
                json.WriteNumber("inputs", linear.Shape.Inputs);
                json.WriteString("type", linear.Type);
                json.WriteNumber("bytes", linear.Bytes);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        writer.WriteLine(Encoding.UTF8.GetString(buffer.ToArray()));
    }

    private static void Strings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }

    private static bool Fits(DecoderLinear linear, QuantizationScheme scheme)
    {
        try
        {
            PackingLayout.CheckShape(linear.Name, linear.Outputs, linear.Inputs, scheme);
            return true;
        }
        catch (MASQuantException)
        {
            return false;
        }
    }
}
