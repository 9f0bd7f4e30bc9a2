using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using MASQuant.Engine.Constraints;
using MASQuant.Engine.Text;

namespace MASQuant.Bench;

/// <summary>What a schema costs each step of an answer over a vocabulary of Qwen's size, beside a step through the decoder layers of a 3B model, which both have to themselves in turns.</summary>
internal sealed class SchemaSteps
{
    private const int Words = 151_643;
    private const int Answers = 12;
    private const int MaxTokens = 160;
    private const double Hold = 0.05;

    // 3B has 36 layers, nine times those of the workload.
    private const int Layers = 9;

    private static readonly (string Name, string Schema)[] Schemas =
    [
        ("choices", """{"type": "object", "properties": {"kind": {"enum": ["odd", "even"]}, "sure": {"type": "boolean"}}, "required": ["kind", "sure"]}"""),
        ("numbers", """{"type": "array", "items": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}, "minItems": 4, "maxItems": 8}"""),
        ("open texts", """{"type": "object", "properties": {"title": {"type": "string"}, "lines": {"type": "array", "items": {"type": "string"}, "minItems": 2}}, "required": ["title", "lines"]}"""),
        ("texts of a length", """{"type": "object", "properties": {"title": {"type": "string", "minLength": 20, "maxLength": 200}, "lines": {"type": "array", "items": {"type": "string", "minLength": 5, "maxLength": 80}, "minItems": 2}}, "required": ["title", "lines"]}"""),
        ("an invoice", """
            {"type": "object", "properties": {"number": {"type": "string", "maxLength": 20}, "date": {"type": "string", "minLength": 10, "maxLength": 10}, "currency": {"enum": ["EUR", "USD", "GBP"]},
             "items": {"type": "array", "minItems": 1, "maxItems": 20, "items": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 60}, "count": {"type": "integer"}, "price": {"type": "number"}, "note": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, "required": ["name", "count", "price"]}},
             "total": {"type": "number"}}, "required": ["number", "date", "currency", "items", "total"]}
            """),
    ];

    private readonly DecodingWorkload _decoder = new(QuantizationScheme.W4A8, 1);
    private readonly Tokenizer _tokenizer;
    private readonly float[] _logits;
    private readonly Random _random = new(1);

    private SchemaSteps(Tokenizer tokenizer) => (_tokenizer, _logits) = (tokenizer, new float[tokenizer.IdBound]);

    /// <summary>Prints a Markdown table; 1 when a schema costs more than it may.</summary>
    /// <param name="root">The repository.</param>
    /// <param name="tokenizer">A <c>tokenizer.json</c>; null for one of omni-tiny with made-up words.</param>
    public static int Run(string root, string? tokenizer)
    {
        var json = tokenizer is null ? Encoding.UTF8.GetBytes(MadeUp(Path.Combine(root, "samples", "models", "omni-tiny", "tokenizer.json"))) : File.ReadAllBytes(tokenizer);
        return new SchemaSteps(Tokenizer.Load(json, tokenizer ?? "made-up")).Run();
    }

    private int Run()
    {
        Console.WriteLine($"{_tokenizer.Count} tokens; a schema's answers, {Answers} of each, up to {MaxTokens} tokens");
        Console.WriteLine("| schema | ms a step, first answer | ms a step, later answers | longest step, ms | ms a decoder step | first answer | later | hold | |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
        var holds = true;
        foreach (var (name, schema) in Schemas)
        {
            var formats = new AnswerFormats(_tokenizer);
            var format = AnswerFormat.JsonSchema(schema);
            _ = formats.Of(AnswerFormat.Json)!.Begin([]); // The table of tokens is the model's, not the schema's.
            var decoder = new List<double>();
            var answers = new List<(double Mean, double Longest)>();
            for (var answer = 0; answer < Answers; answer++)
            {
                decoder.Add(Milliseconds(_decoder.Apart) * Layers);
                answers.Add(Answer(formats.Of(format)!.Begin([_tokenizer.IdBound])));
            }

            var (step, first, later) = (Median(decoder), answers[0].Mean, Median(answers.Skip(1).Select(answer => answer.Mean)));
            holds &= first <= Hold * step && later <= Hold * step;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {name} | {first:F2} | {later:F2} | {answers.Max(answer => answer.Longest):F1} | {step:F0} | {first / step:P1} | {later / step:P1} | ≤ {Hold:P0} | {(first <= Hold * step && later <= Hold * step ? "holds" : "MISSES")} |"));
        }

        return holds ? 0 : 1;
    }

    // Random logits: what a model likes least to say, and so the most states.
    private (double Mean, double Longest) Answer(TokenConstraint constraint)
    {
        double whole = 0, longest = 0;
        var steps = 0;
        while (steps < MaxTokens && !constraint.IsDone)
        {
            foreach (ref var logit in _logits.AsSpan())
            {
                logit = _random.NextSingle();
            }

            var took = Milliseconds(() => constraint.Add(Largest(constraint.Apply(_logits)))) - Milliseconds(() => Largest(_logits));
            (whole, longest, steps) = (whole + took, Math.Max(longest, took), steps + 1);
        }

        return (whole / steps, longest);
    }

    private static int Largest(ReadOnlySpan<float> logits)
    {
        var largest = 0;
        for (var i = 1; i < logits.Length; i++)
        {
            largest = logits[i] > logits[largest] ? i : largest;
        }

        return largest;
    }

    private static double Milliseconds(Action work)
    {
        var start = Stopwatch.GetTimestamp();
        work();
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    // Words with and without a space before them, of two to twelve letters, as many as Qwen's vocabulary has.
    private static string MadeUp(string file)
    {
        var json = JsonNode.Parse(File.ReadAllText(file))!;
        var words = json["model"]!["vocab"]!.AsObject();
        var ids = words.Select(word => word.Value!.GetValue<int>()).Concat(json["added_tokens"]!.AsArray().Select(token => token!["id"]!.GetValue<int>())).ToHashSet();
        var random = new Random(2);
        var id = ids.Max() + 1;
        while (words.Count < Words)
        {
            var word = new StringBuilder(random.Next(2) == 0 ? "Ġ" : "");
            for (var syllables = random.Next(1, 5); syllables > 0; syllables--)
            {
                word.Append("bcdfghklmnprstvwz"[random.Next(17)]).Append("aeiouy"[random.Next(6)]).Append(random.Next(3) == 0 ? "nrst"[random.Next(4)] : "");
            }

            if (words.TryAdd(word.ToString(), id))
            {
                id++;
            }
        }

        return json.ToJsonString();
    }
}
