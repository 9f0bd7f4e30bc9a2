using System.Globalization;
using System.Text.Json.Nodes;

namespace MASQuant.Tests;

/// <summary>Changes one member of a JSON text, to something that <see cref="JsonNode"/> cannot express too.</summary>
internal static class JsonMembers
{
    private const string Marker = "\"c5b1f0\"";

    /// <summary>The path of every member: names, and places in lists. Of maps of a hundred and more, and of lists, the first two.</summary>
    public static IEnumerable<string[]> Paths(string json) => Paths(JsonNode.Parse(json), []);

    /// <summary>The text with <paramref name="value"/>, raw, in place of a member's value.</summary>
    public static string WithValue(string json, string[] path, string value) => Changed(json, path, value, (parent, key) => parent[key] = JsonNode.Parse(Marker));

    /// <summary>The text with <paramref name="name"/>, raw, in place of a member's name; in a list, of its value.</summary>
    public static string WithName(string json, string[] path, string name) => Changed(json, path, name, (parent, key) =>
    {
        var moved = parent[key]?.DeepClone();
        parent.Remove(key);
        parent[Marker.Trim('"')] = moved;
    });

    private static string Changed(string json, string[] path, string raw, Action<JsonObject, string> change)
    {
        var root = JsonNode.Parse(json)!;
        var parent = path[..^1].Aggregate(root, (node, key) => node is JsonArray list ? list[Place(key)]! : node[key]!);
        if (parent is JsonArray items)
        {
            items[Place(path[^1])] = JsonNode.Parse(Marker);
        }
        else
        {
            change(parent.AsObject(), path[^1]);
        }

        return root.ToJsonString().Replace(Marker, raw, StringComparison.Ordinal);
    }

    private static IEnumerable<string[]> Paths(JsonNode? node, string[] above)
    {
        var members = node switch
        {
            JsonObject map => map.Select(member => (member.Key, member.Value)).Where((_, place) => map.Count < 100 || place < 2),
            JsonArray list => list.Select((item, place) => (Key: place.ToString(CultureInfo.InvariantCulture), Value: item)).Take(2),
            _ => [],
        };
        foreach (var (key, value) in members)
        {
            string[] path = [.. above, key];
            yield return path;
            foreach (var inner in Paths(value, path))
            {
                yield return inner;
            }
        }
    }

    private static int Place(string key) => int.Parse(key, CultureInfo.InvariantCulture);
}
