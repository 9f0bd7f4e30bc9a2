using Mono.Cecil;

namespace MASQuant.Architecture.Tests;

/// <summary>Text of others becomes JSON where what JSON throws is translated, and nowhere else: <c>JsonException</c> is not all (half a surrogate pair is an <c>InvalidOperationException</c>).</summary>
public class JsonBorderTests
{
    // Each with what becomes of a text that cannot be read.
    private static readonly Dictionary<string, string> Borders = new()
    {
        ["ConfigSection"] = "MASQ0201 with the file",
        ["CheckpointIndex"] = "MASQ0106 with the file",
        ["SafetensorsHeader"] = "MASQ0102 with the file",
        ["ManifestFile"] = "MASQ0604 with the file",
        ["TokenizerFile"] = "MASQ0210 with the file",
        ["ChatTemplate"] = "a template that is not known, MASQ0207",
        ["ConversationFile"] = "MASQ0401 with file and line",
        ["JsonSchemaReader"] = "MASQ0903 before anything is computed",
        ["ToolCallReader"] = "no call, the text that it is",
        ["TaggedCallReader"] = "the text that it is, or no call",
        ["TaggedCall"] = "MASQ0941, naming the call",
        ["ChatRequestReader"] = "400, MASQ0943 in OpenAI's shape",
        ["MessageReader"] = "400, MASQ0943 in OpenAI's shape",
        ["FactsFile"] = "as if the file were not there",
        ["ModelNoise"] = "as if the file were not there",
        ["EvaluationLosses"] = "as if the file were not there",
    };

    [Fact]
    public void Json_is_read_where_its_exceptions_are_translated()
    {
        var found = ProductAssemblies.Projects.SelectMany(ProductAssemblies.Types)
            .Where(type => AllOf(type).SelectMany(inner => inner.Methods).Where(method => method.HasBody).Any(method => method.Body.Instructions.Any(instruction => ReadsJson(instruction.Operand as MethodReference))))
            .Select(type => type.Name).Distinct().Order(StringComparer.Ordinal).ToArray();
        string[] differences =
        [
            .. found.Except(Borders.Keys).Select(name => $"{name} reads JSON: translate all that it throws and list it with what becomes of a broken text."),
            .. Borders.Keys.Except(found).Select(name => $"{name} is listed and reads no JSON."),
        ];
        Assert.True(differences.Length == 0, string.Join("\n", differences));
    }

    private static bool ReadsJson(MethodReference? method) => method is not null && (method.DeclaringType.Name, method.Name) is
        ("JsonDocument", "Parse" or "ParseAsync") or ("JsonSerializer", "Deserialize") or ("JsonNode", "Parse") or ("JsonElement", "ParseValue" or "Parse") or ("Utf8JsonReader", ".ctor");

    private static IEnumerable<TypeDefinition> AllOf(TypeDefinition type) => [type, .. type.NestedTypes.SelectMany(AllOf)];
}
