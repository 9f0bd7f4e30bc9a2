using System.Text.Json;

namespace MASQuant.Server;

/// <summary>A value of a request with where it stands (<c>messages[0].content</c>): what it must be is asked here, and refused by that name.</summary>
/// <param name="Name">Where it stands.</param>
/// <param name="Value">What stands there.</param>
internal readonly record struct Field(string Name, JsonElement Value)
{
    public bool IsText => Value.ValueKind == JsonValueKind.String;

    public bool IsList => Value.ValueKind == JsonValueKind.Array;

    public ApiException Refuse(string problem) => ApiException.Refused(Name, problem);

    public string Text() => IsText ? Value.GetString()! : throw Refuse("must be a string.");

    public bool Flag() => Value.ValueKind is JsonValueKind.True or JsonValueKind.False ? Value.GetBoolean() : throw Refuse("must be true or false.");

    public int Count() => Value.ValueKind == JsonValueKind.Number && Value.TryGetInt32(out var count) ? count : throw Refuse("must be a whole number within 32 bits.");

    public long Long() => Value.ValueKind == JsonValueKind.Number && Value.TryGetInt64(out var value) ? value : throw Refuse("must be a whole number within 64 bits.");

    public double Real() => Value.ValueKind == JsonValueKind.Number ? Value.GetDouble() : throw Refuse("must be a number.");

    /// <summary>The object itself, as JSON.</summary>
    public JsonElement Object() => Value.ValueKind == JsonValueKind.Object ? Value.Clone() : throw Refuse("must be an object.");

    /// <summary>The elements of a list.</summary>
    public IEnumerable<Field> Items()
    {
        var name = Name;
        return IsList ? Value.EnumerateArray().Select((item, index) => new Field($"{name}[{index}]", item)) : throw Refuse("must be a list.");
    }

    /// <summary>The members of an object; those that are null are as if they were not there.</summary>
    public IEnumerable<(string Key, Field Field)> Members()
    {
        var prefix = Name.Length > 0 ? Name + "." : "";
        return Value.ValueKind == JsonValueKind.Object
            ? Value.EnumerateObject().Where(member => member.Value.ValueKind != JsonValueKind.Null).Select(member => (member.Name, new Field(prefix + member.Name, member.Value)))
            : throw (Name.Length > 0 ? Refuse("must be an object.") : ApiException.Refused("body", "must be a JSON object."));
    }

    /// <summary>The members of an object by their names, of which none may be another than those given.</summary>
    public Dictionary<string, Field> Members(params string[] allowed)
    {
        var members = new Dictionary<string, Field>(StringComparer.Ordinal);
        foreach (var (key, field) in Members())
        {
            members[key] = allowed.Contains(key) ? field : throw field.Refuse("is not supported.");
        }

        return members;
    }

    /// <summary>A member that must be there.</summary>
    public Field Required(Dictionary<string, Field> members, string key) => members.TryGetValue(key, out var field) ? field : throw ApiException.Refused(Name.Length > 0 ? $"{Name}.{key}" : key, "is missing.");

    /// <summary>Passes over a member that asks for what is done anyway, and refuses every other value of it.</summary>
    public void Only(bool isDefault, string allowed)
    {
        if (!isDefault)
        {
            throw Refuse($"is not supported with this value; leave it out, or give {allowed}.");
        }
    }
}
