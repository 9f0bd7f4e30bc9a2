using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace MASQuant.HardModel;

/// <summary>The wide model's <c>config.json</c>: omni-tiny's with the sizes that have grown.</summary>
internal static class WideConfig
{
    public const string FileName = "config.json";

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads <paramref name="source"/> and writes <paramref name="destination"/>.</summary>
    public static void Write(string source, string destination)
    {
        var config = JsonNode.Parse(File.ReadAllBytes(source))!;
        var thinker = config["thinker_config"]!;
        Widen(thinker["text_config"]!, "hidden_size");
        Widen(thinker["text_config"]!, "num_attention_heads"); // As many key and value heads as before; each serves four times as many query heads.
        Widen(thinker["audio_config"]!, "output_dim");
        Widen(thinker["vision_config"]!, "out_hidden_size");
        File.WriteAllText(destination, config.ToJsonString(Indented) + "\n");
    }

    private static void Widen(JsonNode section, string name) => section[name] = (int)section[name]! * Widening.Copies;
}
