using System.Text.Json;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Layouts;

/// <summary>A sample model as a version of transformers saves it: the files that it wrote lie in <c>Saved</c>, the weights come tensor for tensor from the sample.</summary>
internal static class SavedCheckpoint
{
    private static readonly string Folder = Path.Combine(RepositoryFiles.Root, "tests", "MASQuant.Engine.Tests", "Layouts", "Saved");

    public static TheoryData<string> Names => [.. All];

    public static IEnumerable<string> All => Directory.GetDirectories(Folder).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal);

    public static bool Hears(string name) => name.StartsWith("omni", StringComparison.Ordinal);

    public static string Original(string name) => Hears(name) ? RepositoryFiles.OmniTiny : RepositoryFiles.VlTiny;

    public static void Write(string name, string target)
    {
        foreach (var file in Directory.GetFiles(Path.Combine(Folder, name)))
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }

        // Version 5 writes "" for the affixes of words that 4 wrote as null; nothing else differs.
        var tokenizer = File.ReadAllText(Path.Combine(Original(name), "tokenizer.json"));
        File.WriteAllText(Path.Combine(target, "tokenizer.json"), name.Contains("-5.", StringComparison.Ordinal)
            ? tokenizer.Replace("_prefix\": null", "_prefix\": \"\"", StringComparison.Ordinal).Replace("_suffix\": null", "_suffix\": \"\"", StringComparison.Ordinal) : tokenizer);
        WriteWeights(name, target);
    }

    private static void WriteWeights(string name, string target)
    {
        var shards = Shards(Path.Combine(target, "model.safetensors.index.json"));
        var files = new SortedDictionary<string, List<TensorPayload>>();
        var sources = Directory.GetFiles(Original(name), "*.safetensors").Select(SafetensorsFile.Open).ToList();
        foreach (var source in sources)
        {
            foreach (var tensor in source.Tensors)
            {
                // The class of version 4 that is the thinker alone saved no prefix.
                var stored = name == "omni-thinker-4.57.6" ? tensor.Name["thinker.".Length..] : tensor.Name;
                var payload = name.Contains("float32", StringComparison.Ordinal)
                    ? TensorPayload.OfFloats(stored, source.ReadFloats(tensor.Name, [.. tensor.Shape]), [.. tensor.Shape])
                    : TensorPayload.From(source, tensor, stored);
                var file = shards?[stored] ?? "model.safetensors";
                (files.TryGetValue(file, out var list) ? list : files[file] = []).Add(payload);
            }
        }

        foreach (var (file, tensors) in files)
        {
            SafetensorsWriter.Write(Path.Combine(target, file), tensors);
        }

        sources.ForEach(source => source.Dispose());
    }

    private static Dictionary<string, string>? Shards(string index)
    {
        if (!File.Exists(index))
        {
            return null;
        }

        using var json = JsonDocument.Parse(File.ReadAllBytes(index));
        return json.RootElement.GetProperty("weight_map").EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.GetString()!);
    }
}
