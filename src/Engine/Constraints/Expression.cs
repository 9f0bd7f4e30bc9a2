namespace MASQuant.Engine.Constraints;

/// <summary>What a text's bytes may be: a regular expression over bytes, whose repetitions are counted. Immutable; parts may be shared.</summary>
internal abstract class Expression
{
    /// <summary>One byte of a set.</summary>
    public static Expression Byte(params ReadOnlySpan<(int First, int Last)> ranges) => new ByteExpression(ranges);

    /// <summary>These bytes.</summary>
    public static Expression Literal(ReadOnlySpan<byte> bytes)
    {
        var parts = new Expression[bytes.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = ByteExpression.Of(bytes[i]);
        }

        return new SequenceExpression(parts);
    }

    /// <summary>One behind the other.</summary>
    public static Expression Sequence(params Expression[] parts) => new SequenceExpression(parts);

    /// <summary>One of them.</summary>
    public static Expression Choice(params Expression[] parts) => parts.Length == 1 ? parts[0] : new ChoiceExpression(parts);

    /// <summary>Many times the same, which is never empty.</summary>
    public static Expression Repeat(Expression part, int min, int max = int.MaxValue) => new RepeatExpression(part, min, max);
}

internal sealed class ByteExpression : Expression
{
    private static readonly ByteExpression[] Singles = [.. Enumerable.Range(0, 256).Select(value => new ByteExpression([(value, value)]))];
    private readonly bool[] _allowed = new bool[256];

    public ByteExpression(ReadOnlySpan<(int First, int Last)> ranges)
    {
        foreach (var (first, last) in ranges)
        {
            _allowed.AsSpan(first, last - first + 1).Fill(true);
        }

        Count = _allowed.AsSpan().Count(true);
    }

    public static ByteExpression Of(byte value) => Singles[value];

    /// <summary>How many bytes it may be.</summary>
    public int Count { get; }

    public bool Allows(byte value) => _allowed[value];
}

internal sealed class SequenceExpression(Expression[] parts) : Expression
{
    public Expression[] Parts => parts;
}

internal sealed class ChoiceExpression(Expression[] parts) : Expression
{
    public Expression[] Parts => parts;
}

internal sealed class RepeatExpression(Expression part, int min, int max) : Expression
{
    private RepeatExpression? _rest;

    public Expression Part => part;

    public int Min => min;

    public int Max => max;

    /// <summary>What may follow once it has been there.</summary>
    public RepeatExpression Rest => _rest ??= min == 0 && max == int.MaxValue ? this : new RepeatExpression(part, Math.Max(0, min - 1), max == int.MaxValue ? max : max - 1);
}
