using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace MASQuant.Engine.Constraints;

/// <summary>The texts of JSON values (RFC 8259): on one line, at most one space behind a comma or a colon, and numbers that every reader takes whole.</summary>
internal static class JsonExpressions
{
    /// <summary>Values within values of any shape; readers take 64.</summary>
    private const int MostLevels = 16;

    /// <summary>Digits before the point, and behind it: together fewer than a decimal's 28.</summary>
    private const int MostDigits = 15;
    private const int MostFraction = 10;

    private static readonly Expression Space = Expression.Repeat(Expression.Literal(" "u8), 0, 1);
    private static readonly Expression Comma = Expression.Sequence(Expression.Literal(","u8), Space);
    private static readonly Expression Colon = Expression.Sequence(Expression.Literal(":"u8), Space);
    private static readonly Expression Nothing = Expression.Sequence();
    private static readonly Expression Hex = Expression.Byte(('0', '9'), ('a', 'f'), ('A', 'F'));
    private static readonly Expression D = Expression.Byte(('d', 'd'), ('D', 'D'));
    private static readonly Expression Digit = Expression.Byte(('0', '9'));
    private static readonly Expression Tail = Expression.Byte((0x80, 0xBF));
    private static readonly JsonWriterOptions AsItIs = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A code point as UTF-8 (RFC 3629) or escaped; half of a surrogate pair is none.</summary>
    private static readonly Expression Character = Expression.Choice(
        Expression.Byte((0x20, 0x21), (0x23, 0x5B), (0x5D, 0x7E)),
        Expression.Sequence(Expression.Byte((0xC2, 0xDF)), Tail),
        Expression.Sequence(Expression.Byte((0xE0, 0xE0)), Expression.Byte((0xA0, 0xBF)), Tail),
        Expression.Sequence(Expression.Byte((0xE1, 0xEC), (0xEE, 0xEF)), Tail, Tail),
        Expression.Sequence(Expression.Byte((0xED, 0xED)), Expression.Byte((0x80, 0x9F)), Tail),
        Expression.Sequence(Expression.Byte((0xF0, 0xF0)), Expression.Byte((0x90, 0xBF)), Tail, Tail),
        Expression.Sequence(Expression.Byte((0xF1, 0xF3)), Tail, Tail, Tail),
        Expression.Sequence(Expression.Byte((0xF4, 0xF4)), Expression.Byte((0x80, 0x8F)), Tail, Tail),
        Expression.Sequence(Expression.Literal("\\"u8), Expression.Choice(
            Expression.Byte(('"', '"'), ('\\', '\\'), ('/', '/'), ('b', 'b'), ('f', 'f'), ('n', 'n'), ('r', 'r'), ('t', 't')),
            Expression.Sequence(Expression.Literal("u"u8), Expression.Choice(
                Expression.Sequence(Expression.Byte(('0', '9'), ('a', 'c'), ('e', 'f'), ('A', 'C'), ('E', 'F')), Hex, Hex, Hex),
                Expression.Sequence(D, Expression.Byte(('0', '7')), Hex, Hex),
                Expression.Sequence(D, Expression.Byte(('8', '9'), ('a', 'b'), ('A', 'B')), Hex, Hex, Expression.Literal("\\u"u8), D, Expression.Byte(('c', 'f'), ('C', 'F')), Hex, Hex))))));

    /// <summary>A whole number.</summary>
    public static Expression Integer { get; } = Expression.Sequence(
        Expression.Repeat(Expression.Literal("-"u8), 0, 1),
        Expression.Choice(Expression.Literal("0"u8), Expression.Sequence(Expression.Byte(('1', '9')), Expression.Repeat(Digit, 0, MostDigits - 1))));

    /// <summary>A number without an exponent.</summary>
    public static Expression Number { get; } = Expression.Sequence(Integer, Expression.Repeat(Expression.Sequence(Expression.Literal("."u8), Expression.Repeat(Digit, 1, MostFraction)), 0, 1));

    /// <summary>true or false.</summary>
    public static Expression Boolean { get; } = Expression.Choice(Expression.Literal("true"u8), Expression.Literal("false"u8));

    /// <summary>null.</summary>
    public static Expression Null { get; } = Expression.Literal("null"u8);

    /// <summary>Any value.</summary>
    public static Expression Value { get; } = AnyValue(MostLevels);

    /// <summary>An object with any members.</summary>
    public static Expression AnyObject { get; } = ObjectOf(AnyValue(MostLevels - 1));

    /// <summary>An array of anything.</summary>
    public static Expression AnyArray { get; } = Array(AnyValue(MostLevels - 1), 0, int.MaxValue);

    /// <summary>A text of so many code points.</summary>
    public static Expression Text(int min, int max) => Expression.Sequence(Expression.Literal("\""u8), Expression.Repeat(Character, min, max), Expression.Literal("\""u8));

    /// <summary>This value, written shortly.</summary>
    public static Expression Constant(JsonElement value) => Written(value.WriteTo);

    /// <summary>An array of so many items.</summary>
    public static Expression Array(Expression item, int min, int max)
        => Expression.Sequence(Expression.Literal("["u8), List(item, min, max), Expression.Literal("]"u8));

    /// <summary>An object with these members, in this order; those that need not be there may be left out.</summary>
    public static Expression Object(IReadOnlyList<(string Name, Expression Value, bool IsRequired)> members)
    {
        // What may follow behind a member that is there, and where none has been yet.
        var (next, first) = (Nothing, Nothing);
        for (var i = members.Count - 1; i >= 0; i--)
        {
            var member = Member(members[i].Name, members[i].Value);
            var (withMember, began) = (Expression.Sequence(Comma, member, next), Expression.Sequence(member, next));
            (next, first) = members[i].IsRequired ? (withMember, began) : (Expression.Choice(withMember, next), Expression.Choice(began, first));
        }

        return Expression.Sequence(Expression.Literal("{"u8), first, Expression.Literal("}"u8));
    }

    private static Expression Member(string name, Expression value)
        => Expression.Sequence(Written(writer => writer.WriteStringValue(name)), Colon, value);

    private static Expression Written(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes, AsItIs))
        {
            write(writer);
        }

        return Expression.Literal(bytes.WrittenSpan);
    }

    private static Expression AnyValue(int levels)
    {
        var value = Expression.Choice(Text(0, int.MaxValue), Number, Boolean, Null);
        if (levels == 0)
        {
            return value;
        }

        var inner = AnyValue(levels - 1);
        return Expression.Choice(value, ObjectOf(inner), Array(inner, 0, int.MaxValue));
    }

    private static Expression ObjectOf(Expression value)
        => Expression.Sequence(Expression.Literal("{"u8), List(Expression.Sequence(Text(0, int.MaxValue), Colon, value), 0, int.MaxValue), Expression.Literal("}"u8));

    private static Expression List(Expression item, int min, int max)
    {
        var filled = Expression.Sequence(item, Expression.Repeat(Expression.Sequence(Comma, item), Math.Max(0, min - 1), max == int.MaxValue ? max : max - 1));
        return min > 0 ? filled : max > 0 ? Expression.Repeat(filled, 0, 1) : Nothing;
    }
}
