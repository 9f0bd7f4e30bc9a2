using System.Collections.Generic;
using System.Globalization;
using System.Linq;

namespace MASQuant.Generators.Json;

internal enum JsonKind
{
    Null,
    Boolean,
    Number,
    Text,
    List,
    Object,
}

/// <summary>A parsed JSON value with the place where it stands, for messages.</summary>
internal sealed class JsonValue(JsonKind kind, int position)
{
    private const long MaxCount = 1L << 40;

    public JsonKind Kind { get; } = kind;

    /// <summary>The offset of the value's first character.</summary>
    public int Position { get; } = position;

    /// <summary>The text of a string, the digits of a number, <c>true</c> or <c>false</c>.</summary>
    public string Text { get; init; } = "";

    public IReadOnlyList<JsonValue> Items { get; init; } = [];

    /// <summary>Members in the order of the file.</summary>
    public IReadOnlyList<KeyValuePair<string, JsonValue>> Members { get; init; } = [];

    /// <summary>The member <paramref name="name"/>, or null.</summary>
    public JsonValue? Find(string name) => Members.FirstOrDefault(member => member.Key == name).Value;

    /// <summary>The member <paramref name="name"/>, unless it is absent or null.</summary>
    public JsonValue? FindPresent(string name) => Find(name) is { Kind: not JsonKind.Null } value ? value : null;

    /// <exception cref="JsonFormatException">There is no such member.</exception>
    public JsonValue Get(string name) => Find(name) ?? throw new JsonFormatException(Position, $"'{name}' is missing");

    public string GetText(string name) => Get(name).Expect(JsonKind.Text, name).Text;

    public IReadOnlyList<JsonValue> GetItems(string name) => Get(name).Expect(JsonKind.List, name).Items;

    public IReadOnlyList<KeyValuePair<string, JsonValue>> GetMembers(string name) => Get(name).Expect(JsonKind.Object, name).Members;

    public bool GetBoolean(string name) => Get(name).Expect(JsonKind.Boolean, name).Text == "true";

    public int GetInt(string name) => Get(name).ToInt(name);

    public int GetExtent(string name) => Get(name).ToExtent(name);

    public int ToExtent(string name) => ToInt(name) is > 0 and var extent ? extent : throw new JsonFormatException(Position, $"'{name}' is not at least 1");

    public long GetLong(string name) => Get(name).ToLong(name);

    public long ToLong(string name)
        => long.TryParse(Expect(JsonKind.Number, name).Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= MaxCount
            ? number : throw new JsonFormatException(Position, $"'{name}' is not a count");

    public int ToInt(string name)
        => int.TryParse(Expect(JsonKind.Number, name).Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : throw new JsonFormatException(Position, $"'{name}' is not a count");

    public ulong ToSeed(string name)
        => ulong.TryParse(Expect(JsonKind.Number, name).Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number : throw new JsonFormatException(Position, $"'{name}' is not a whole number of 64 bits");

    public double ToDouble(string name)
        => double.TryParse(Expect(JsonKind.Number, name).Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && !double.IsInfinity(number)
            ? number : throw new JsonFormatException(Position, $"'{name}' is not a number");

    public JsonValue Expect(JsonKind kind, string name)
        => Kind == kind ? this : throw new JsonFormatException(Position, $"'{name}' is a {Kind}, not a {kind}");
}
