using System.Text.Json;
using System.Text.Json.Nodes;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Layouts;

/// <summary>The configurations of published models as tools write them, in the order and with the members that they have; weights are a tensor that nothing reads.</summary>
internal static class LayoutFiles
{
    private static readonly JsonObject Known = JsonNode.Parse(File.ReadAllText(Path.Combine(RepositoryFiles.Root, "tests", "MASQuant.Cli.Tests", "Layouts", "layouts.json")))!.AsObject();

    public static IEnumerable<string> Names => Known["layouts"]!.AsObject().Select(layout => layout.Key);

    public static void Write(string layout, string folder)
    {
        foreach (var (file, content) in Known["layouts"]![layout]!.AsObject())
        {
            File.WriteAllText(Path.Combine(folder, file), Known["contents"]![content!.GetValue<string>()]!.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
        }

        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), [TensorPayload.OfFloats("nothing", new float[1], 1)]);
    }
}
