using System.Text.Json.Nodes;

namespace MASQuant.Engine.Tests.Constraints;

/// <summary>Schemas of everything that is supported, and values that they allow.</summary>
internal sealed class RandomSchema(Random random)
{
    private static readonly string[] Words = ["a", "name", "größe", "x/y", "~", "quote\"d", "line\nbreak", "日本", "\\", ""];
    private int _definitions;
    private readonly JsonObject _defs = [];

    public JsonObject Make()
    {
        var schema = Any(3);
        if (_defs.Count > 0)
        {
            schema["$defs"] = _defs;
        }

        return schema;
    }

    private JsonObject Any(int levels)
    {
        var schema = random.Next(levels > 0 ? 11 : 7) switch
        {
            0 => Text(),
            1 => new JsonObject { ["type"] = "integer" },
            2 => new JsonObject { ["type"] = "number" },
            3 => new JsonObject { ["type"] = "boolean" },
            4 => new JsonObject { ["enum"] = new JsonArray([.. Enumerable.Range(0, random.Next(1, 5)).Select(_ => Constant())]) },
            5 => new JsonObject { ["const"] = Constant() },
            6 => new JsonObject { ["type"] = new JsonArray("integer", "null"), ["description"] = "passed over" },
            7 => new JsonObject { ["anyOf"] = new JsonArray([.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Any(levels - 1))]) },
            8 => Array(levels),
            _ => Object(levels),
        };
        if (random.Next(8) > 0)
        {
            return schema;
        }

        var name = $"d{_definitions++}";
        _defs[name] = schema;
        return new JsonObject { ["$ref"] = $"#/$defs/{name}" };
    }

    private JsonObject Text()
    {
        var schema = new JsonObject { ["type"] = "string" };
        if (random.Next(2) == 0)
        {
            schema["minLength"] = random.Next(4);
            schema["maxLength"] = random.Next(4, 12);
        }

        return schema;
    }

    private JsonObject Array(int levels)
    {
        var schema = new JsonObject { ["type"] = "array", ["items"] = Any(levels - 1) };
        if (random.Next(2) == 0)
        {
            schema["minItems"] = random.Next(3);
            schema["maxItems"] = random.Next(3, 6);
        }

        return schema;
    }

    private JsonObject Object(int levels)
    {
        var (properties, required) = (new JsonObject(), new JsonArray());
        foreach (var name in Words.Where(_ => random.Next(4) == 0))
        {
            properties[name] = Any(levels - 1);
            if (random.Next(2) == 0)
            {
                required.Add(name);
            }
        }

        return new JsonObject { ["type"] = "object", ["properties"] = properties, ["required"] = required, ["additionalProperties"] = false };
    }

    private JsonNode? Constant() => random.Next(6) switch
    {
        0 => null,
        1 => JsonValue.Create(random.Next(-99, 99)),
        2 => JsonValue.Create(random.Next(2) == 0),
        3 => JsonValue.Create(0.25),
        4 => new JsonArray(1, "two"),
        _ => JsonValue.Create(Words[random.Next(Words.Length)]),
    };
}
