using System.Globalization;
using System.Text.RegularExpressions;
using MASQuant.Ptx.Instructions;

namespace MASQuant.Ptx.Syntax;

/// <summary>Turns the text of one kernel into instructions.</summary>
internal sealed partial class EntryDecoder(string name, IReadOnlyList<string> moduleVariables)
{
    private readonly RegisterNames _registers = new();
    private readonly Dictionary<string, int> _parameters = [];
    private readonly Dictionary<string, int> _labels = [];
    private readonly List<(int Index, string Label)> _branches = [];
    private readonly List<Instruction> _code = [];
    private int _sharedBytes;

    public PtxEntry Decode(string header, string body, int line, int maxThreads)
    {
        var parameterBytes = DeclareParameters(header);
        var statements = Statements(body, line).ToList();
        DeclareShared(statements.Select(statement => statement.Text));
        foreach (var (statement, at) in statements)
        {
            try
            {
                Statement(statement, at);
            }
            catch (PtxException exception)
            {
                throw new PtxException(exception.Fault, $"{name}, line {at}, '{statement}': {exception.Message}");
            }
        }

        foreach (var (index, label) in _branches)
        {
            var instruction = _code[index];
            instruction.Target = Label(label, instruction.Line);
            _code[index] = instruction;
        }

        return new PtxEntry
        {
            Name = name,
            Code = [.. _code],
            ParameterBytes = parameterBytes,
            StaticSharedBytes = _sharedBytes,
            MaxThreads = maxThreads,
            Predicates = _registers.Count(RegisterKind.Predicate),
            Words = _registers.Count(RegisterKind.Word),
            Longs = _registers.Count(RegisterKind.Long),
            WordConstants = _registers.WordConstants,
            LongConstants = _registers.LongConstants,
            Specials = _registers.Specials,
        };
    }

    private int Label(string label, int line)
        => _labels.TryGetValue(label, out var target) ? target : throw new PtxException(PtxFault.Unknown, $"{name}, line {line}: no label {label}");

    private int DeclareParameters(string header)
    {
        var offset = 0;
        foreach (Match match in Parameters().Matches(header))
        {
            var size = SizeOf(match.Groups["type"].Value);
            var alignment = match.Groups["align"].Success ? int.Parse(match.Groups["align"].Value, CultureInfo.InvariantCulture) : size;
            var count = match.Groups["count"].Success ? int.Parse(match.Groups["count"].Value, CultureInfo.InvariantCulture) : 1;
            offset = (offset + alignment - 1) & -alignment;
            _parameters[match.Groups["name"].Value] = offset;
            offset += size * count;
        }

        return offset;
    }

    /// <summary>Static variables in order; dynamic shared memory starts behind them.</summary>
    private void DeclareShared(IEnumerable<string> statements)
    {
        var dynamic = new List<string>();
        foreach (var variable in moduleVariables.Concat(statements.Where(text => text.StartsWith(".shared", StringComparison.Ordinal))))
        {
            var match = Variables().Match(variable);
            if (match.Value.EndsWith("[]", StringComparison.Ordinal))
            {
                dynamic.Add(match.Groups["name"].Value);
                continue;
            }

            var alignment = int.Parse(match.Groups["align"].Value, CultureInfo.InvariantCulture);
            _sharedBytes = (_sharedBytes + alignment - 1) & -alignment;
            _registers.Symbols[match.Groups["name"].Value] = _sharedBytes;
            var count = match.Groups["count"].Value;
            _sharedBytes += SizeOf(match.Groups["type"].Value) * (count.Length == 0 ? 1 : int.Parse(count, CultureInfo.InvariantCulture));
        }

        _sharedBytes = (_sharedBytes + 127) & -128;
        foreach (var variable in dynamic)
        {
            _registers.Symbols[variable] = _sharedBytes;
        }
    }

    private void Statement(string statement, int line)
    {
        if (statement == "{")
        {
            _registers.Open();
        }
        else if (statement == "}")
        {
            _registers.Close();
        }
        else if (statement.EndsWith(':'))
        {
            _labels[statement[..^1]] = _code.Count;
        }
        else if (statement.StartsWith(".reg", StringComparison.Ordinal))
        {
            var parts = statement.Split((char[])[' ', '\t', ','], StringSplitOptions.RemoveEmptyEntries);
            foreach (var register in parts[2..])
            {
                _registers.Declare(parts[1][1..], register);
            }
        }
        else if (!statement.StartsWith(".pragma", StringComparison.Ordinal) && !statement.StartsWith(".shared", StringComparison.Ordinal))
        {
            Instruction(statement, line);
        }
    }

    private void Instruction(string statement, int line)
    {
        var text = statement;
        var (guard, negated) = (-1, false);
        if (text[0] == '@')
        {
            var space = text.IndexOfAny([' ', '\t']);
            negated = text[1] == '!';
            guard = _registers.Find(text[(negated ? 2 : 1)..space], RegisterKind.Predicate);
            text = text[space..].Trim();
        }

        var end = text.IndexOfAny([' ', '\t']);
        var operation = end < 0 ? text : text[..end];
        var operands = end < 0 ? [] : Split(text[end..]);
        var instruction = InstructionTable.Decode(operation, new Operands(operands, _registers, _parameters));
        (instruction.Guard, instruction.GuardNegated, instruction.Line, instruction.Text) = (guard, negated, line, statement);
        if (instruction.Flow == Flow.Branch)
        {
            _branches.Add((_code.Count, operands[0]));
        }

        _code.Add(instruction);
    }

    private static int SizeOf(string type) => int.Parse(type.AsSpan(2), CultureInfo.InvariantCulture) / 8;

    /// <summary>Splits at commas outside braces and brackets.</summary>
    private static string[] Split(string text)
    {
        var parts = new List<string>();
        var (depth, start) = (0, 0);
        for (var i = 0; i < text.Length; i++)
        {
            depth += text[i] is '{' or '[' ? 1 : text[i] is '}' or ']' ? -1 : 0;
            if (text[i] == ',' && depth == 0)
            {
                parts.Add(text[start..i].Trim());
                start = i + 1;
            }
        }

        parts.Add(text[start..].Trim());
        return [.. parts];
    }

    /// <summary>Statements without their semicolons; scope braces and labels stand alone.</summary>
    private static IEnumerable<(string Text, int Line)> Statements(string body, int line)
    {
        var start = 0;
        var inVector = false;
        for (var i = 0; i < body.Length; i++)
        {
            var character = body[i];
            var blank = body.AsSpan(start, i - start).IsWhiteSpace();
            if (character is '{' or '}' && blank)
            {
                yield return (character.ToString(), line);
                start = i + 1;
            }
            else if (character == '{' || (character == '}' && inVector))
            {
                inVector = character == '{';
            }
            else if (character == ';' || (character == ':' && i + 1 < body.Length && char.IsWhiteSpace(body[i + 1]) && !body.AsSpan(start, i - start).Trim().Contains(' ')))
            {
                if (!blank)
                {
                    yield return (body[start..(character == ':' ? i + 1 : i)].Trim().Replace('\n', ' '), line);
                }

                start = i + 1;
            }

            line += character == '\n' ? 1 : 0;
        }
    }

    [GeneratedRegex(@"\.param\s+(\.align\s+(?<align>\d+)\s+)?(?<type>\.[busf]\d+)\s+(\.ptr\s+(\.\w+\s+)?\.align\s+\d+\s+)?(?<name>[\w$]+)(\[(?<count>\d+)\])?")]
    private static partial Regex Parameters();

    [GeneratedRegex(@"\.shared\s+\.align\s+(?<align>\d+)\s+(?<type>\.\w+)\s+(?<name>[\w$]+)(\[(?<count>\d*)\])?")]
    private static partial Regex Variables();
}
