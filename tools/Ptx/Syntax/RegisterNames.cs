using System.Globalization;

namespace MASQuant.Ptx.Syntax;

/// <summary>Gives every register, constant and special register of a kernel a place in a register file. Braces open a scope, as inline assembly uses them.</summary>
internal sealed class RegisterNames
{
    private readonly Stack<Dictionary<string, (RegisterKind Kind, int Index)>> _scopes = new([new()]);
    private readonly Dictionary<uint, int> _words = [];
    private readonly Dictionary<ulong, int> _longs = [];
    private readonly Dictionary<string, int> _specials = [];
    private readonly int[] _counts = new int[3];

    /// <summary>Addresses of shared variables.</summary>
    public Dictionary<string, long> Symbols { get; } = [];

    public int Count(RegisterKind kind) => _counts[(int)kind];

    public (int, uint)[] WordConstants => [.. _words.Select(pair => (pair.Value, pair.Key))];

    public (int, ulong)[] LongConstants => [.. _longs.Select(pair => (pair.Value, pair.Key))];

    public (int, string)[] Specials => [.. _specials.Select(pair => (pair.Value, pair.Key))];

    public void Open() => _scopes.Push([]);

    public void Close() => _scopes.Pop();

    /// <summary>Declares <c>%r&lt;12&gt;</c> or a single name.</summary>
    public void Declare(string type, string name)
    {
        var kind = type switch
        {
            "pred" => RegisterKind.Predicate,
            "b64" or "u64" or "s64" or "f64" => RegisterKind.Long,
            "b16" or "u16" or "s16" or "b32" or "u32" or "s32" or "f32" => RegisterKind.Word,
            _ => throw new PtxException(PtxFault.Unknown, $"register type .{type}"),
        };
        var open = name.IndexOf('<', StringComparison.Ordinal);
        if (open < 0)
        {
            _scopes.Peek()[name] = (kind, New(kind));
            return;
        }

        var count = int.Parse(name.AsSpan(open + 1, name.Length - open - 2), CultureInfo.InvariantCulture);
        for (var i = 0; i < count; i++)
        {
            _scopes.Peek()[name[..open] + i.ToString(CultureInfo.InvariantCulture)] = (kind, New(kind));
        }
    }

    /// <summary>The register that holds operand <paramref name="text"/>.</summary>
    public int Find(string text, RegisterKind kind)
    {
        foreach (var scope in _scopes)
        {
            if (scope.TryGetValue(text, out var register))
            {
                return register.Kind == kind
                    ? register.Index
                    : throw new PtxException(PtxFault.Unknown, $"{text} is a {register.Kind} register, the instruction asks for {kind}");
            }
        }

        if (text[0] == '%')
        {
            return Special(text);
        }

        return kind switch
        {
            RegisterKind.Word => Constant(_words, (uint)Literal(text), kind),
            RegisterKind.Long => Constant(_longs, Literal(text), kind),
            _ => throw new PtxException(PtxFault.Unknown, $"operand {text}"),
        };
    }

    /// <summary>Whether <paramref name="text"/> names a declared register, and of which kind.</summary>
    public RegisterKind? KindOf(string text)
    {
        foreach (var scope in _scopes)
        {
            if (scope.TryGetValue(text, out var register))
            {
                return register.Kind;
            }
        }

        return null;
    }

    private int Special(string text)
    {
        if (!_specials.TryGetValue(text, out var index))
        {
            _specials[text] = index = New(RegisterKind.Word);
        }

        return index;
    }

    private int Constant<T>(Dictionary<T, int> pool, T value, RegisterKind kind)
        where T : notnull
    {
        if (!pool.TryGetValue(value, out var index))
        {
            pool[value] = index = New(kind);
        }

        return index;
    }

    private int New(RegisterKind kind) => _counts[(int)kind]++;

    private ulong Literal(string text)
    {
        if (Symbols.TryGetValue(text, out var address))
        {
            return (ulong)address;
        }

        if (text.StartsWith("0f", StringComparison.Ordinal) || text.StartsWith("0F", StringComparison.Ordinal))
        {
            return uint.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }

        if (text.StartsWith("0d", StringComparison.Ordinal) || text.StartsWith("0D", StringComparison.Ordinal))
        {
            return ulong.Parse(text.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        }

        var negative = text[0] == '-';
        var digits = text.AsSpan(negative ? 1 : 0).TrimEnd('U');
        var hexadecimal = digits.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        return ulong.TryParse(hexadecimal ? digits[2..] : digits, hexadecimal ? NumberStyles.HexNumber : NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? negative ? unchecked(0 - value) : value
            : throw new PtxException(PtxFault.Unknown, $"operand {text}");
    }
}
