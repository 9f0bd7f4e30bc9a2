using System.Globalization;

namespace MASQuant.Ptx.Syntax;

/// <summary>The operands of one instruction, resolved to registers.</summary>
internal sealed class Operands(string[] texts, RegisterNames registers, IReadOnlyDictionary<string, int> parameters)
{
    public int Count => texts.Length;

    public string this[int index] => texts[index];

    public int Word(int index) => Register(texts[index], RegisterKind.Word);

    public int Long(int index) => Register(texts[index], RegisterKind.Long);

    public int Predicate(int index) => Register(texts[index], RegisterKind.Predicate);

    public int Register(int index, RegisterKind kind) => Register(texts[index], kind);

    public RegisterKind? KindOf(int index) => registers.KindOf(texts[index]);

    public int Integer(int index) => int.Parse(texts[index], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);

    /// <summary>The members of <c>{%r1, %r2}</c>, or the one register.</summary>
    public int[] Vector(int index, RegisterKind kind)
    {
        var text = texts[index].Trim();
        return text[0] == '{'
            ? [.. text[1..^1].Split(',').Select(part => part.Trim() == "_" ? -1 : Register(part.Trim(), kind))]
            : [Register(text, kind)];
    }

    /// <summary><c>[%rd1+16]</c>, <c>[%r1]</c>, <c>[variable+4]</c>: a register (−1: none), whether it has 64 bits, and what is added.</summary>
    public (int Register, bool Wide, long Offset) Address(int index)
    {
        var text = texts[index].Trim()[1..^1].Trim();
        var plus = text.IndexOf('+', StringComparison.Ordinal);
        var offset = plus < 0 ? 0 : long.Parse(text.AsSpan(plus + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var name = plus < 0 ? text : text[..plus].Trim();
        if (registers.Symbols.TryGetValue(name, out var address))
        {
            return (-1, false, address + offset);
        }

        var kind = registers.KindOf(name) ?? throw new PtxException(PtxFault.Unknown, $"address {text}");
        return (Register(name, kind), kind == RegisterKind.Long, offset);
    }

    /// <summary>The place of <c>[name+8]</c> in the parameter block.</summary>
    public int Parameter(int index)
    {
        var parts = texts[index].Trim()[1..^1].Split('+');
        return parameters.TryGetValue(parts[0].Trim(), out var offset)
            ? offset + (parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0)
            : throw new PtxException(PtxFault.Unknown, $"parameter {parts[0]}");
    }

    private int Register(string text, RegisterKind kind) => registers.Find(text.Trim(), kind);
}
