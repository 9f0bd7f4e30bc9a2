using System.Text.Json.Nodes;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Extensions.AI.Tests;

/// <summary>vl-tiny with weights written by hand, so that its answers are known: it says something and calls <c>get_weather</c>, and once the prompt holds a result it answers by it. Prompts, tokens and decoder are the engine's own.</summary>
internal static class CallingCheckpoint
{
    public const string Text = "Let me see.";
    public const string City = "Oslo";
    public const string Answer = "Three below zero.";

    private const int Hidden = 128;
    private const int Vocabulary = 1280;

    // Ids of vl-tiny's tokenizer, and those that are added to it.
    private const int EndOfTurn = 1200;
    private const int CallStart = 1214;
    private const int CallEnd = 1215;
    private const int Body = 1216;
    private const int Said = 1217;
    private const int Answered = 1218;
    private const int ResultEnd = 1219;

    public static string Write(string folder, int lineEnd, bool tags = false)
    {
        Directory.CreateDirectory(folder);
        foreach (var name in (string[])["preprocessor_config.json", "generation_config.json"])
        {
            File.Copy(Path.Combine(RepositoryFiles.VlTiny, name), Path.Combine(folder, name));
        }

        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(RepositoryFiles.VlTiny, "config.json")))!;
        config["tie_word_embeddings"] = false;
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
        WriteTokenizer(folder, tags);
        using var source = SafetensorsFile.Open(Path.Combine(RepositoryFiles.VlTiny, "model.safetensors"));
        SafetensorsWriter.Write(Path.Combine(folder, "model.safetensors"), [.. source.Tensors.Select(tensor => Payload(source, tensor, lineEnd)), TensorPayload.OfBFloat16("lm_head.weight", Head(), Vocabulary, Hidden)]);
        return folder;
    }

    private static void WriteTokenizer(string folder, bool tags)
    {
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(RepositoryFiles.VlTiny, "tokenizer.json")))!;
        var added = json["added_tokens"]!.AsArray();
        var call = added.Single(token => (int)token!["id"]! == CallStart)!;
        foreach (var (id, text) in new[] { (Body, tags ? $"\n<function=get_weather>\n<parameter=city>\n{City}\n</parameter>\n</function>\n" : $"\n{{\"name\": \"get_weather\", \"arguments\": {{\"city\": \"{City}\"}}}}\n"), (Said, Text + "\n"), (Answered, Answer), (ResultEnd, "</tool_response>") })
        {
            var token = call.DeepClone();
            (token["id"], token["content"]) = (id, text);
            added.Add(token);
        }

        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), json.ToJsonString());
    }

    // Every token that matters has a dimension of its own; blocks add nothing, but for the first one's attention, which looks at all tokens alike and marks dimension 7 once a result has ended among them.
    private static TensorPayload Payload(SafetensorsFile source, TensorInfo tensor, int lineEnd)
    {
        var values = new float[tensor.Count];
        switch (tensor.Name)
        {
            case "model.embed_tokens.weight":
                for (var token = 0; token < Vocabulary; token++)
                {
                    values[(token * Hidden) + (Array.IndexOf([lineEnd, Said, CallStart, Body, CallEnd, Answered, ResultEnd], token) is >= 0 and var dimension ? dimension : Hidden - 1)] = 1;
                }

                break;
            case "model.layers.0.self_attn.v_proj.weight":
                values[6] = 1; // its first output is the end of a result
                break;
            case "model.layers.0.self_attn.o_proj.weight":
                values[7 * Hidden] = 1024; // dimension 7 is its first input
                break;
            case var name when name.EndsWith("norm.weight", StringComparison.Ordinal):
                Array.Fill(values, 1);
                break;
            case var name when name.StartsWith("visual.", StringComparison.Ordinal):
                return TensorPayload.From(source, tensor);
        }

        return TensorPayload.OfBFloat16(tensor.Name, values, [.. tensor.Shape]);
    }

    // What follows what. A normed embedding is √128 ≈ 11.3 in its dimension; of T tokens one in dimension 6 gives 1024 · 11.3 / T in dimension 7, 11 to 100 for prompts of 100 to 1000 tokens: more than 1, times 1/4, and less than 1024.
    private static float[] Head()
    {
        var head = new float[Vocabulary * Hidden];
        void Follows(int token, int dimension, float weight) => head[(token * Hidden) + dimension] = weight;

        Follows(Said, 0, 1);
        Follows(Answered, 0, 0.5f);
        Follows(Answered, 7, 0.25f);
        Follows(CallStart, 1, 1024);
        Follows(Body, 2, 1024);
        Follows(CallEnd, 3, 1024);
        Follows(EndOfTurn, 4, 1024);
        Follows(EndOfTurn, 5, 1024);
        return head;
    }
}
