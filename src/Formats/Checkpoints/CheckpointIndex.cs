using System.Text.Json;
using MASQuant.Diagnostics;

namespace MASQuant.Formats.Checkpoints;

/// <summary>Reads <c>model.safetensors.index.json</c>: which shard holds which tensor.</summary>
internal static class CheckpointIndex
{
    public const string FileName = "model.safetensors.index.json";

    /// <summary>Tensor names and the file names of their shards. A shard lies in the index's own folder.</summary>
    /// <exception cref="MASQuantException">MASQ0106.</exception>
    public static SortedDictionary<string, string> Parse(ReadOnlyMemory<byte> json, string file)
    {
        var shards = new SortedDictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 16 });
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("weight_map", out var map)
                || map.ValueKind != JsonValueKind.Object)
            {
                throw Invalid(file, "The index has no weight_map.");
            }

            foreach (var entry in map.EnumerateObject())
            {
                var shard = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : "";
                if (!IsPlainFileName(shard))
                {
                    throw Invalid(file, $"The index places tensor '{entry.Name}' in '{shard}', which is no file name in the index's own folder.");
                }

                if (!shards.TryAdd(entry.Name, shard))
                {
                    throw Invalid(file, $"The index lists tensor '{entry.Name}' twice.");
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Invalid(file, $"The index is not valid JSON: {e.Message}", e);
        }

        return shards;
    }

    /// <summary>Whether a name that a file gives leads nowhere but to its own folder. Separators of every platform count, so that a file is refused everywhere or nowhere.</summary>
    internal static bool IsPlainFileName(string name)
        => name.Length > 0 && name is not ("." or "..") && name.AsSpan().IndexOfAny("/\\:\0") < 0;

    private static MASQuantException Invalid(string file, string message, Exception? inner = null)
        => new(DiagnosticCodes.CheckpointIndexInvalid, file, $"{message} Download the index again.", inner);
}
