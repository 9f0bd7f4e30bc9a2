using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Json.Schema;
using MASQuant.Diagnostics;
using MASQuant.Engine.Constraints;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Tests.Models;
using MASQuant.Engine.Text;

namespace MASQuant.Engine.Tests.Constraints;

/// <summary>Answers held to a schema are valid against it, whatever the logits say, in the eyes of a validator that is not ours.</summary>
public sealed class JsonSchemaTests(OmniFixture omni) : IClassFixture<OmniFixture>
{
    private static readonly EvaluationOptions Strict = new() { OutputFormat = OutputFormat.Flag };

    private Tokenizer Tokenizer => omni.Model.Tokenizer;

    [Fact]
    public void A_thousand_random_schemas_are_kept()
    {
        var table = new TokenTable(Tokenizer);
        var lengths = new List<int>();
        for (var seed = 0; seed < 1000; seed++)
        {
            var random = new Random(seed);
            var schema = new RandomSchema(random).Make().ToJsonString();
            var text = Answer(new TokenGrammar(JsonSchemaReader.Read(schema), table), random);
            Require(schema, text, seed);
            lengths.Add(text.Length);
        }

        Assert.True(lengths.Max() > 100 && lengths.Distinct().Count() > 50, $"{lengths.Max()}"); // The texts are of many kinds.
    }

    [Fact]
    public void Objects_of_any_shape_are_JSON()
    {
        var grammar = new TokenGrammar(JsonExpressions.AnyObject, new TokenTable(Tokenizer));
        for (var seed = 0; seed < 200; seed++)
        {
            using var document = JsonDocument.Parse(Answer(grammar, new Random(seed)));
            Assert.Equal(JsonValueKind.Object, document.RootElement.ValueKind);
        }
    }

    // The definition: a token may follow when each of its bytes may.
    [Theory]
    [InlineData("")]
    [InlineData("{\"a\": \"")]
    [InlineData("{\"a\": \"ab\\u")]
    [InlineData("{\"a\": \"abc\", \"b\": [1")]
    [InlineData("{\"a\": \"abc\", \"b\": [1, 2]")]
    public void A_mask_is_what_each_token_alone_may(string before)
    {
        const string Schema = """{"type": "object", "properties": {"a": {"type": "string", "maxLength": 5}, "b": {"type": "array", "items": {"type": "number"}, "maxItems": 3}}, "required": ["a"]}""";
        var machine = new ByteMachine(JsonSchemaReader.Read(Schema));
        var state = Read(machine, machine.Start, Encoding.UTF8.GetBytes(before))!;
        var mask = new TokenTable(Tokenizer).Allowed(machine, state);

        var count = 0;
        for (var id = 0; id < Tokenizer.IdBound; id++)
        {
            var bytes = Tokenizer.Bytes(id);
            var may = !bytes.IsEmpty && !Tokenizer.IsAdded(id) && Read(machine, state, bytes) is not null;
            Assert.Equal(may, (mask[id >> 6] >> id & 1) == 1);
            count += may ? 1 : 0;
        }

        Assert.InRange(count, 1, Tokenizer.IdBound - 1);
    }

    // What other writers make of a value is allowed too, with and without the space; and nothing that is not valid.
    [Fact]
    public void Texts_with_one_byte_changed_are_refused_or_valid()
    {
        var (table, kept, refused) = (new TokenTable(Tokenizer), 0, 0);
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var schema = new RandomSchema(random).Make().ToJsonString();
            var expression = JsonSchemaReader.Read(schema);
            var machine = new ByteMachine(expression);
            var text = Encoding.UTF8.GetBytes(Answer(new TokenGrammar(expression, table), random));
            Assert.True(IsAllowed(machine, text));
            Assert.True(IsAllowed(machine, Encoding.UTF8.GetBytes(WithoutSpaces(text))));
            for (var change = 0; change < 20; change++)
            {
                byte[] changed = [.. text];
                changed[random.Next(changed.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : "\"{}[],:0-. truefalsenull\\u\x7f"u8[random.Next(26)];
                if (IsAllowed(machine, changed))
                {
                    Require(schema, Encoding.UTF8.GetString(changed), seed);
                    kept++;
                }
                else
                {
                    refused++;
                }
            }
        }

        Assert.True(kept > 500 && refused > 500, $"{kept} {refused}");
    }

    [Theory]
    [InlineData("""{"type": "string", "pattern": "a+"}""", "'pattern'")]
    [InlineData("""{"type": "object", "properties": {"a": {"type": "integer", "minimum": 3}}}""", "#/properties/a has 'minimum'")]
    [InlineData("""{"type": "object", "additionalProperties": {"type": "integer"}}""", "additionalProperties")]
    [InlineData("""{"oneOf": [{"type": "integer"}]}""", "'oneOf'")]
    [InlineData("""{"$ref": "#/$defs/a", "$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/a"}}}}""", "leads to itself")]
    [InlineData("""{"$ref": "#/$defs/b"}""", "not there")]
    [InlineData("""{"$ref": "https://example.org/schema"}""", "not within")]
    [InlineData("""{"type": "text"}""", "'text'")]
    [InlineData("""{"type": 3}""", "no name")]
    [InlineData("""{"type": "string", "minLength": 4, "maxLength": 3}""", "at least 4 and at most 3")]
    [InlineData("""{"type": "string", "maxLength": -1}""", "maxLength")]
    [InlineData("""{"type": "integer", "enum": ["a"]}""", "enum")]
    [InlineData("""{"type": "string", "const": 3}""", "const")]
    [InlineData("""{"type": ["string", "string"]}""", "twice")]
    [InlineData("""{"properties": {"a": {"type": "integer"}, "a": {"type": "string"}}}""", "no JSON")]
    [InlineData("""{"properties": 3}""", "no object")]
    [InlineData("""{"required": "a"}""", "no list")]
    [InlineData("""{"type": "object", "required": ["a"], "additionalProperties": false}""", "does not allow")]
    [InlineData("""{"anyOf": []}""", "anyOf")]
    [InlineData("""{"anyOf": 3}""", "anyOf")]
    [InlineData("""{"enum": 3}""", "enum")]
    [InlineData("""{"required": [3]}""", "no name")]
    [InlineData("false", "no schema")]
    [InlineData("{", "no JSON")]
    [InlineData("\"\\ud800\"", "no ")]
    [InlineData("""{"type": "\ud800"}""", "no JSON")]
    [InlineData("""{"enum": ["\ud800"]}""", "no JSON")]
    [InlineData("""{"properties": {"\ud800": true}}""", "no JSON")]
    [InlineData("""{"required": ["\ud800"]}""", "no JSON")]
    [InlineData("""{"$ref": "\ud800"}""", "no JSON")]
    public void What_cannot_be_promised_is_refused_by_name(string schema, string what)
    {
        var error = Assert.Throws<MASQuantException>(() => omni.Model.Generate(new Prompt().Text("?"), new GenerationOptions { Format = AnswerFormat.JsonSchema(schema) }).Count());

        Assert.Equal(DiagnosticCodes.AnswerFormatUnsupported, error.Code);
        Assert.Contains(what, error.Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"enum": [1, 12, 32]}""", "1", true)]
    [InlineData("""{"enum": [1, 12, 32]}""", "3", false)] // Behind 1 and 3 the same may follow, and only one of them is whole.
    [InlineData("""{"type": "string"}""", "\"\\ud83d\\ude00\"", true)]
    [InlineData("""{"type": "string"}""", "\"\\ud83d\"", false)]
    [InlineData("""{"type": "string"}""", "\"\\ude00\"", false)]
    [InlineData("""{"type": "string", "maxLength": 1}""", "\"\\ud83d\\ude00\"", true)]
    [InlineData("""{"type": "string", "maxLength": 1}""", "\"😀\"", true)]
    [InlineData("""{"type": "string", "maxLength": 1}""", "\"ab\"", false)]
    [InlineData("""{"type": "string"}""", "\"a\"\"", false)]
    [InlineData("""{"$defs": {"a": {"type": "integer"}}, "properties": {"x": {"$ref": "#/$defs/a"}, "y": {"$ref": "#/$defs/a"}}, "required": ["x", "y"]}""", "{\"x\": 1, \"y\": 2}", true)] // Referred to twice, by neither of itself.
    [InlineData("""{"type": "object", "additionalProperties": false}""", "{}", true)]
    [InlineData("""{"type": "object", "additionalProperties": false}""", "{\"a\": 1}", false)]
    [InlineData("""{"type": "number"}""", "-0.50", true)]
    [InlineData("""{"type": "number"}""", "01", false)]
    [InlineData("""{"type": "number"}""", "1.", false)]
    [InlineData("""{"type": "integer"}""", "1.5", false)]
    [InlineData("""{"type": "array", "items": {"type": "null"}}""", "[null, null,null]", true)]
    [InlineData("""{"type": "array", "items": {"type": "null"}}""", "[null,]", false)]
    [InlineData("""{"properties": {"a": true, "b": {"type": "null"}}, "required": ["b"]}""", "{\"a\": [1, {\"x\": \"y\"}], \"b\": null}", true)]
    [InlineData("""{"properties": {"a": true, "b": {"type": "null"}}, "required": ["b"]}""", "{\"b\": null}", true)]
    [InlineData("""{"properties": {"a": true, "b": {"type": "null"}}, "required": ["b"]}""", "{\"a\": 1}", false)]
    [InlineData("""{"properties": {"a": true, "b": {"type": "null"}}, "required": ["b"]}""", "{, \"b\": null}", false)]
    public void What_is_allowed_is_what_JSON_and_the_schema_say(string schema, string text, bool allowed)
        => Assert.Equal(allowed, IsAllowed(new ByteMachine(JsonSchemaReader.Read(schema)), Encoding.UTF8.GetBytes(text)));

    // RFC 3629: no surrogates, nothing written longer than need be, nothing beyond U+10FFFF, nothing in halves.
    [Theory]
    [InlineData("EDA080", false)]
    [InlineData("EDBFBF", false)]
    [InlineData("C080", false)]
    [InlineData("E09F80", false)]
    [InlineData("F08F8080", false)]
    [InlineData("F4908080", false)]
    [InlineData("C3", false)]
    [InlineData("80", false)]
    [InlineData("0A", false)]
    [InlineData("ED9FBF", true)]
    [InlineData("EE8080", true)]
    [InlineData("F48FBFBF", true)]
    [InlineData("F0908080", true)]
    public void Text_is_UTF_8(string hex, bool allowed)
        => Assert.Equal(allowed, IsAllowed(new ByteMachine(JsonExpressions.Text(0, 1)), [(byte)'"', .. Convert.FromHexString(hex), (byte)'"']));

    // Schemas are the prompt's author's, who may be hostile: no stack overflow, no memory without bound.
    [Fact]
    public void Schemas_too_large_are_refused()
    {
        var deep = string.Concat(Enumerable.Repeat("""{"type": "array", "items": """, 40)) + "true" + new string('}', 40);
        var doubled = new JsonObject { ["$ref"] = "#/$defs/d0", ["$defs"] = new JsonObject(Enumerable.Range(0, 30).Select(i => KeyValuePair.Create($"d{i}", (JsonNode?)(i == 29 ? new JsonObject { ["type"] = "null" } : new JsonObject { ["anyOf"] = new JsonArray(new JsonObject { ["$ref"] = $"#/$defs/d{i + 1}" }, new JsonObject { ["$ref"] = $"#/$defs/d{i + 1}" }) })))) }.ToJsonString();
        foreach (var schema in new[] { deep, doubled, new string('[', 100_000), $"{{\"enum\": [{string.Join(',', Enumerable.Range(0, 20_000))}]}}", Chain(9000), ReferredValues(), $"{{\"type\": [{string.Join(',', Enumerable.Repeat("\"string\"", 20_000))}]}}", $"{{\"required\": [{string.Join(',', Enumerable.Range(0, 20_000).Select(i => $"\"{i}\""))}]}}", ReferredText(), $"{{\"const\": \"{new string('a', 1 << 20)}\"}}" })
        {
            Assert.Equal(DiagnosticCodes.AnswerFormatUnsupported, Assert.Throws<MASQuantException>(() => JsonSchemaReader.Read(schema)).Code);
        }
    }

    // A reader that calls itself for each reference ends the process.
    private static string Chain(int length) => $"{{\"$ref\": \"#/$defs/0\", \"$defs\": {{{string.Concat(Enumerable.Range(0, length).Select(i => $"\"{i}\": {{\"$ref\": \"#/$defs/{i + 1}\"}}, "))}\"{length}\": {{\"type\": \"null\"}}}}}}";

    // 20 kB that ask for a million values, or a hundred million letters.
    private static string ReferredValues() => Referred($"{{\"enum\": [{string.Join(',', Enumerable.Range(0, 1000))}]}}");

    private static string ReferredText() => Referred($"{{\"const\": \"{new string('a', 100_000)}\"}}");

    private static string Referred(string schema) => $"{{\"$defs\": {{\"d\": {schema}}}, \"properties\": {{{string.Join(',', Enumerable.Range(0, 1000).Select(i => $"\"{i}\": {{\"$ref\": \"#/$defs/d\"}}"))}}}}}";

    // Each member may be left out, so all are open at once; a small stack is what some systems' threads have.
    [Fact]
    public void Members_without_number_need_no_stack()
    {
        var schema = $"{{\"properties\": {{{string.Join(',', Enumerable.Range(0, 9000).Select(i => $"\"{i}\": {{\"type\": \"null\"}}"))}}}}}";
        var isAllowed = false;
        var thread = new Thread(() => isAllowed = IsAllowed(new ByteMachine(JsonSchemaReader.Read(schema)), "{\"0\": null, \"8999\": null}"u8), 256 << 10);
        thread.Start();
        thread.Join();

        Assert.True(isAllowed);
    }

    // Each state of 1000 texts of different lengths leads to another for each of 200 bytes: seconds for a token, while others wait.
    [Fact]
    public void What_leaves_too_much_open_at_once_is_refused()
    {
        var schema = $"{{\"anyOf\": [{string.Join(',', Enumerable.Range(1, 1000).Select(i => $"{{\"type\": \"string\", \"maxLength\": {i}}}"))}]}}";
        var machine = new ByteMachine(JsonSchemaReader.Read(schema));

        Assert.Equal(DiagnosticCodes.AnswerFormatUnsupported, Assert.Throws<MASQuantException>(() => machine.Next(machine.Start, (byte)'"')).Code);
    }

    // 10 000 states are kept, and the first; or 2¹⁹ rests, of which a letter takes at least eleven for each of 200 texts: itself, its nine kinds and what remains.
    [Theory]
    [InlineData(1, 50_000, 10_001)]
    [InlineData(200, 500, ((1 << 19) / 2200) + 1)]
    public void States_of_a_long_answer_are_forgotten(int texts, int letters, int most)
    {
        var machine = new ByteMachine(JsonSchemaReader.Read($"{{\"anyOf\": [{string.Join(',', Enumerable.Range(0, texts).Select(i => $"{{\"type\": \"string\", \"maxLength\": {letters + i}}}"))}]}}"));
        Assert.NotNull(Read(machine, machine.Start, Encoding.UTF8.GetBytes("\"" + new string('a', letters))));

        var (reached, open) = (new HashSet<ByteMachine.State> { machine.Start }, new Stack<ByteMachine.State>([machine.Start]));
        while (open.TryPop(out var state))
        {
            for (var value = 0; value < 256; value++)
            {
                if (state.IsKnown((byte)value, out var next) && next is not null && reached.Add(next))
                {
                    open.Push(next);
                }
            }
        }

        Assert.InRange(reached.Count, 1, most);
    }

    private static string WithoutSpaces(byte[] text)
    {
        var node = JsonNode.Parse(text);
        return node is null ? "null" : node.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }

    private static void Require(string schema, string text, int seed)
    {
        using var document = JsonDocument.Parse(text);
        Assert.True(JsonSchema.FromText(schema).Evaluate(document.RootElement, Strict).IsValid, $"seed {seed}: {schema} allowed {text}");
    }

    private static bool IsAllowed(ByteMachine machine, ReadOnlySpan<byte> text) => Read(machine, machine.Start, text) is { IsWhole: true };

    private static ByteMachine.State? Read(ByteMachine machine, ByteMachine.State state, ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes)
        {
            if (machine.Next(state, value) is not { } next)
            {
                return null;
            }

            state = next;
        }

        return state;
    }

    /// <summary>Tokens by chance; after 60 those that close what is open.</summary>
    private string Answer(TokenGrammar grammar, Random random)
    {
        var constraint = grammar.Begin([]);
        var (text, logits) = (new TokenStream(Tokenizer), new float[Tokenizer.IdBound]);
        var answer = new StringBuilder();
        for (var count = 0; !constraint.IsDone; count++)
        {
            for (var id = 0; id < logits.Length; id++)
            {
                logits[id] = (float)random.NextDouble();
            }

            if (count > 60)
            {
                string[] closers = IsInString(answer.ToString()) ? ["\""] : ["}", "]", "\"", "null", "0"];
                for (var i = 0; i < closers.Length; i++)
                {
                    logits[Tokenizer.Encode(closers[i])[0]] = 100 - i;
                }
            }

            var token = new Sampler(new GenerationOptions()).Next(constraint.Apply(logits));
            if (!float.IsFinite(constraint.Apply(logits)[token]))
            {
                break; // A number at the root is whole, and may go on: it ends here.
            }

            constraint.Add(token);
            answer.Append(text.Append(token));
            if (count > 60 && double.TryParse(answer.ToString(), System.Globalization.CultureInfo.InvariantCulture, out _))
            {
                break;
            }
        }

        return answer + text.Flush();
    }

    private static bool IsInString(string text)
    {
        var inside = false;
        for (var i = 0; i < text.Length; i++)
        {
            if (inside && text[i] == '\\')
            {
                i++; // Whatever it is, it ends nothing.
            }
            else
            {
                inside ^= text[i] == '"';
            }
        }

        return inside;
    }
}
