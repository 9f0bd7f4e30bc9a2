using System.CommandLine;
using MASQuant.Evaluation.Comparison;
using MASQuant.Quantization.Options;

namespace MASQuant.Cli.Options;

/// <summary>The values that <c>--sweep Option=v1,v2,…</c> gives to one quantization option.</summary>
/// <param name="Option">The option.</param>
/// <param name="Values">Its values in the option's own spelling, each once.</param>
internal sealed record Sweep(QuantizationOption Option, IReadOnlyList<string> Values)
{
    /// <summary><c>--sweep</c>, which may be given several times.</summary>
    /// <param name="description">What the command does with it.</param>
    /// <param name="refusals">Options that this command does not sweep, and why.</param>
    public static Option<Sweep[]> CreateOption(string description, IReadOnlyDictionary<string, string> refusals)
    {
        return new Option<Sweep[]>("--sweep")
        {
            HelpName = "OPTION=LIST",
            Description = description,
            Arity = ArgumentArity.ZeroOrMore,
            DefaultValueFactory = _ => [],
            CustomParser = result =>
            {
                var sweeps = new List<Sweep>();
                foreach (var token in result.Tokens)
                {
                    if (TryParse(token.Value, refusals, out var sweep) is { } problem)
                    {
                        result.AddError(problem);
                    }
                    else if (sweeps.Exists(other => other.Option == sweep.Option))
                    {
                        result.AddError($"'--sweep' names '{sweep.Option.Name}' twice. Give all values in one list.");
                    }
                    else
                    {
                        sweeps.Add(sweep);
                    }
                }

                return [.. sweeps];
            },
        };
    }

    /// <summary>Every combination of values, the last sweep's varying fastest; one empty combination when nothing is swept.</summary>
    public static IReadOnlyList<IReadOnlyList<SweptValue>> Combine(IEnumerable<Sweep> sweeps)
    {
        List<IReadOnlyList<SweptValue>> combinations = [[]];
        foreach (var sweep in sweeps)
        {
            combinations = [.. combinations.SelectMany(head => sweep.Values.Select(value => (IReadOnlyList<SweptValue>)[.. head, new SweptValue(sweep.Option.Name, value)]))];
        }

        return combinations;
    }

    // Returns what is wrong, or null.
    private static string? TryParse(string text, IReadOnlyDictionary<string, string> refusals, out Sweep sweep)
    {
        sweep = null!;
        if (text.Split('=', 2) is not [var name, { Length: > 0 } list])
        {
            return $"'{text}' is not allowed for '--sweep'. Write OPTION=VALUE,VALUE: --sweep Epochs=0,2.";
        }

        if (OptionTable.All.FirstOrDefault(candidate => string.Equals(candidate.Name, name, StringComparison.OrdinalIgnoreCase) || candidate.Switch == name) is not { } option)
        {
            var sweepable = OptionTable.All.Select(candidate => candidate.Name).Where(candidate => !refusals.ContainsKey(candidate));
            return $"'{name}' is not allowed for '--sweep'. Did you mean '{ClosestWord.Of(name, sweepable)}'?";
        }

        if (refusals.TryGetValue(option.Name, out var reason))
        {
            return $"'{option.Name}' is not swept: {reason}.";
        }

        var values = new List<string>();
        foreach (var value in Split(list))
        {
            if (option.Apply(new QuantizationOptions(), value) is not { } applied)
            {
                return $"'{value}' is not allowed for '{option.Name}'. Allowed: {option.Values}.";
            }

            values.Add(option.Format(applied));
        }

        sweep = new Sweep(option, [.. values.Distinct()]);
        return null;
    }

    private static string[] Split(string list)
        => list.Split(list.Contains(';', StringComparison.Ordinal) ? ';' : ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
