using System.Globalization;
using System.Text.Json;
using MASQuant.Diagnostics;

namespace MASQuant.Engine.Constraints;

/// <summary>
/// Reads JSON schemas (2020-12) into expressions: type, enum, const, properties, required, items, minItems, maxItems, minLength, maxLength, anyOf, and references within the schema that do not lead to themselves.
/// Objects get the members that are listed, in that order. What only describes is passed over, format among it, as the specification's default has it; every other keyword is refused by its name.
/// </summary>
internal sealed class JsonSchemaReader
{
    /// <summary>Schemas within a schema, values of enums and required names, references followed.</summary>
    private const int MostParts = 10_000;

    /// <summary>Parts within one another, references followed: a stack must hold them.</summary>
    private const int MostNested = 128;

    /// <summary>Characters of a schema; and of its names, constants and references, these followed.</summary>
    private const int MostCharacters = 1 << 18;

    private const int MostQuoted = 100;

    /// <summary>Levels of a value; readers take 64.</summary>
    private const int MostLevels = 32;

    private static readonly HashSet<string> Described = ["$schema", "$id", "$anchor", "$comment", "$defs", "definitions", "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "format", "contentMediaType", "contentEncoding"];
    private static readonly JsonDocumentOptions Json = new() { AllowDuplicateProperties = false }; // Two members of a name would both be asked for.
    private readonly JsonElement _root;
    private readonly HashSet<string> _following = new(StringComparer.Ordinal);
    private int _parts;
    private int _characters;
    private int _nested;

    private JsonSchemaReader(JsonElement root) => _root = root;

    /// <summary>The texts that a schema allows.</summary>
    /// <exception cref="MASQuantException">MASQ0903: it is no JSON, or asks for what cannot be promised.</exception>
    public static Expression Read(string schema)
    {
        Require(schema.Length <= MostCharacters, "#", string.Create(CultureInfo.InvariantCulture, $"has {schema.Length} characters: there may be {MostCharacters}"));
        try
        {
            using var document = JsonDocument.Parse(schema, Json);
            return new JsonSchemaReader(document.RootElement).Read(document.RootElement, "#", 0);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or ArgumentException) // Half a surrogate pair is one of the latter.
        {
            throw new MASQuantException(DiagnosticCodes.AnswerFormatUnsupported, null, $"The schema is no JSON: {error.Message} Correct it.", error);
        }
    }

    private Expression Read(JsonElement schema, string at, int level)
    {
        if (schema.ValueKind == JsonValueKind.True)
        {
            return JsonExpressions.Value;
        }

        Require(schema.ValueKind == JsonValueKind.Object, at, "is no schema");
        Count(1, at);
        Require(level <= MostLevels, at, string.Create(CultureInfo.InvariantCulture, $"lies deeper than {MostLevels} levels"));
        Require(++_nested <= MostNested, at, string.Create(CultureInfo.InvariantCulture, $"lies within more than {MostNested} others"));
        var keywords = new Keywords(schema, at);
        var expression = OfReference(keywords, level) ?? OfValues(keywords) ?? OfAlternatives(keywords, level) ?? OfTypes(keywords, level);
        keywords.RefuseOthers();
        _nested--;
        return expression;
    }

    private Expression? OfReference(Keywords keywords, int level)
    {
        if (keywords.Take("$ref") is not { } reference)
        {
            return null;
        }

        var pointer = reference.ValueKind == JsonValueKind.String ? reference.GetString()! : "";
        CountCharacters(pointer.Length, keywords.At);
        Require(pointer.StartsWith('#'), keywords.At, $"refers to '{Short(pointer)}', which is not within the schema");
        Require(_following.Add(pointer), keywords.At, $"refers to '{Short(pointer)}', which leads to itself");
        var target = _root;
        foreach (var step in pointer[1..].Split('/', StringSplitOptions.RemoveEmptyEntries).Select(step => Uri.UnescapeDataString(step).Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)))
        {
            target = target.ValueKind == JsonValueKind.Object && target.TryGetProperty(step, out var member) ? member
                : target.ValueKind == JsonValueKind.Array && int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < target.GetArrayLength() ? target[index]
                : throw Unsupported(keywords.At, $"refers to '{Short(pointer)}', which is not there");
        }

        var expression = Read(target, Short(pointer), level);
        _following.Remove(pointer);
        return expression;
    }

    private Expression? OfValues(Keywords keywords)
    {
        if (keywords.Take("const") is { } constant)
        {
            return OfValues([constant], keywords, "has a const that is no value of its type");
        }

        if (keywords.Take("enum") is not { } values)
        {
            return null;
        }

        Require(values.ValueKind == JsonValueKind.Array, keywords.At, "has an enum that is no array");
        return OfValues([.. values.EnumerateArray()], keywords, "has an enum without a value of its type");
    }

    private Expression OfValues(JsonElement[] values, Keywords keywords, string none)
    {
        var types = keywords.TakeTypes();
        Count(values.Length, keywords.At);
        JsonElement[] allowed = [.. values.Where(value => types is null || types.Any(type => IsOfType(value, type)))];
        Require(allowed.Length > 0, keywords.At, none);
        foreach (var value in allowed)
        {
            CountCharacters(value.GetRawText().Length, keywords.At);
        }

        return Expression.Choice([.. allowed.Select(JsonExpressions.Constant)]);
    }

    private Expression? OfAlternatives(Keywords keywords, int level)
    {
        if (keywords.Take("anyOf") is not { } alternatives)
        {
            return null;
        }

        Require(alternatives.ValueKind == JsonValueKind.Array && alternatives.GetArrayLength() > 0, keywords.At, "has an anyOf without alternatives");
        return Expression.Choice([.. alternatives.EnumerateArray().Select((alternative, i) => Read(alternative, $"{keywords.At}/anyOf/{i}", level))]);
    }

    private Expression OfTypes(Keywords keywords, int level)
    {
        if (keywords.TakeTypes() is not { } types)
        {
            // What belongs to one type alone says which.
            types = keywords.Has("properties") || keywords.Has("required") ? ["object"] : keywords.Has("items") ? ["array"] : [];
            if (types.Count == 0)
            {
                return JsonExpressions.Value;
            }
        }

        return Expression.Choice([.. types.Select(type => type switch
        {
            "object" => OfObject(keywords, level),
            "array" => OfArray(keywords, level),
            "string" => OfText(keywords),
            "integer" => JsonExpressions.Integer,
            "number" => JsonExpressions.Number,
            "boolean" => JsonExpressions.Boolean,
            "null" => JsonExpressions.Null,
            _ => throw Unsupported(keywords.At, $"has the type '{Short(type)}', which JSON has not"),
        })]);
    }

    private Expression OfObject(Keywords keywords, int level)
    {
        var properties = keywords.Take("properties");
        Require(properties is null or { ValueKind: JsonValueKind.Object }, keywords.At, "has properties that are no object");
        var required = Required(keywords);
        var others = keywords.Take("additionalProperties");
        Require(others is null or { ValueKind: JsonValueKind.True or JsonValueKind.False }, keywords.At, "gives further members a schema (additionalProperties)");
        var isClosed = others is { ValueKind: JsonValueKind.False };
        if (properties is null && required.Count == 0 && !isClosed)
        {
            return JsonExpressions.AnyObject;
        }

        var members = new List<(string, Expression, bool)>();
        foreach (var property in properties is { } listed ? [.. listed.EnumerateObject()] : Array.Empty<JsonProperty>())
        {
            CountCharacters(property.Name.Length, keywords.At);
            members.Add((property.Name, Read(property.Value, $"{keywords.At}/properties/{Short(property.Name)}", level + 1), required.Remove(property.Name)));
        }

        Require(!isClosed || required.Count == 0, keywords.At, "requires a member that it does not allow (additionalProperties)");
        members.AddRange(required.Keys.Select(name => (name, JsonExpressions.Value, true)));
        return JsonExpressions.Object(members);
    }

    // In their order, each once.
    private OrderedDictionary<string, bool> Required(Keywords keywords)
    {
        var required = new OrderedDictionary<string, bool>(StringComparer.Ordinal);
        if (keywords.Take("required") is not { } names)
        {
            return required;
        }

        Require(names.ValueKind == JsonValueKind.Array, keywords.At, "requires what is no list of names");
        Count(names.GetArrayLength(), keywords.At);
        foreach (var name in names.EnumerateArray())
        {
            var text = name.ValueKind == JsonValueKind.String ? name.GetString()! : throw Unsupported(keywords.At, "requires what is no name");
            CountCharacters(text.Length, keywords.At);
            required[text] = true;
        }

        return required;
    }

    private Expression OfArray(Keywords keywords, int level)
    {
        var (min, max) = keywords.TakeBounds("minItems", "maxItems");
        var item = keywords.Take("items") is { } items ? Read(items, $"{keywords.At}/items", level + 1) : null;
        return item is null && (min, max) == (0, int.MaxValue) ? JsonExpressions.AnyArray : JsonExpressions.Array(item ?? JsonExpressions.Value, min, max);
    }

    private static Expression OfText(Keywords keywords)
    {
        var (min, max) = keywords.TakeBounds("minLength", "maxLength");
        return JsonExpressions.Text(min, max);
    }

    private static bool IsOfType(JsonElement value, string type) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "number" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var number) && decimal.IsInteger(number),
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        _ => value.ValueKind == JsonValueKind.Null,
    };

    private void Count(int parts, string at)
        => Require((_parts += parts) <= MostParts, at, string.Create(CultureInfo.InvariantCulture, $"is one part too many: there may be {MostParts}"));

    private void CountCharacters(int characters, string at)
        => Require((_characters += characters) <= MostCharacters, at, string.Create(CultureInfo.InvariantCulture, $"has names, constants and references of too many characters: there may be {MostCharacters}"));

    private static string Short(string text) => text.Length > MostQuoted ? text[..MostQuoted] + "…" : text;

    private static void Require(bool condition, string at, string what)
    {
        if (!condition)
        {
            throw Unsupported(at, what);
        }
    }

    private static MASQuantException Unsupported(string at, string what)
        => new(DiagnosticCodes.AnswerFormatUnsupported, null, $"The schema at {at} {what}. docs/runtime.md lists what a schema may ask for.");

    /// <summary>The keywords of one schema, each taken once.</summary>
    private sealed class Keywords(JsonElement schema, string at)
    {
        private const int Types = 7; // As many as JSON has.

        private readonly HashSet<string> _taken = [.. Described];

        public string At => at;

        public bool Has(string name) => schema.TryGetProperty(name, out _);

        public JsonElement? Take(string name)
        {
            _taken.Add(name);
            return schema.TryGetProperty(name, out var value) ? value : null;
        }

        public List<string>? TakeTypes()
        {
            var types = ReadTypes();
            Require(types is null || types.Distinct(StringComparer.Ordinal).Count() == types.Count, at, "has a type twice");
            return types;
        }

        private List<string>? ReadTypes() => Take("type") switch
        {
            null => null,
            { ValueKind: JsonValueKind.String } one => [one.GetString()!],
            { ValueKind: JsonValueKind.Array } several when several.GetArrayLength() is > 0 and <= Types => [.. several.EnumerateArray().Select(type => type.ValueKind == JsonValueKind.String ? type.GetString()! : throw Unsupported(at, "has a type that is no name"))],
            _ => throw Unsupported(at, "has a type that is no name, or no list of up to seven"),
        };

        public (int Min, int Max) TakeBounds(string least, string most)
        {
            var (min, max) = (Bound(least, 0), Bound(most, int.MaxValue));
            Require(min <= max, at, string.Create(CultureInfo.InvariantCulture, $"wants at least {min} and at most {max}"));
            return (min, max);
        }

        public void RefuseOthers()
        {
            foreach (var property in schema.EnumerateObject())
            {
                Require(_taken.Contains(property.Name), at, $"has '{Short(property.Name)}', which is not supported there");
            }
        }

        private int Bound(string name, int otherwise)
        {
            const int Most = 1 << 20;
            return Take(name) is not { } value ? otherwise
                : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var bound) && bound is >= 0 and <= Most ? bound
                : throw Unsupported(at, string.Create(CultureInfo.InvariantCulture, $"has a {name} that is not in 0 … {Most}"));
        }
    }
}
