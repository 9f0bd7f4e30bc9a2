using Mono.Cecil;

namespace MASQuant.Architecture.Tests;

public class StaticTests
{
    /// <summary>Statics that change, each with its reason.</summary>
    private static readonly Dictionary<string, string> Allowed = new()
    {
        ["AttentionTile._current"] = "a thread's scratch memory",
        ["CodeProduct._current"] = "a thread's scratch memory",
        ["FloatProduct._current"] = "a thread's scratch memory",
        ["Int4Panels._current"] = "a thread's scratch memory",
        ["Scratch._current"] = "a thread's scratch memory",
        ["SegmentAttention._keys"] = "a thread's scratch memory",
        ["TokenQuantizer._current"] = "a thread's scratch memory",
        ["DriverLibrary._api"] = "the driver is loaded once a process, and a failure is tried again",
        ["LargeBuffers.Peak"] = "the process's memory is one",
        ["LargeBuffers._inUse"] = "the process's memory is one",
        ["TorchLibraries._loaded"] = "libtorch is loaded once a process, and a failure is tried again",
    };

    [Fact]
    public void No_static_changes_but_those_listed()
    {
        var changing = ProductAssemblies.Projects
            .SelectMany(ProductAssemblies.Types)
            .SelectMany(AllOf)
            .SelectMany(type => type.Fields.Where(field => field is { IsStatic: true, IsInitOnly: false, HasConstant: false } && !IsGenerated(type, field))
                .Select(field => $"{type.Name}.{Name(field)}"))
            .Order(StringComparer.Ordinal)
            .ToArray();
        string[] differences =
        [
            .. changing.Except(Allowed.Keys).Select(name => $"{name} changes: pass it as a parameter, or list it with its reason."),
            .. Allowed.Keys.Except(changing).Select(name => $"{name} is listed and does not change."),
        ];
        Assert.True(differences.Length == 0, string.Join("\n", differences));
    }

    private static IEnumerable<TypeDefinition> AllOf(TypeDefinition type) => [type, .. type.NestedTypes.SelectMany(AllOf)];

    // Lambdas that the compiler keeps, and what source generators make for JSON, regular expressions and imported functions.
    private static bool IsGenerated(TypeDefinition type, FieldDefinition field)
        => type.Name.Contains('<') || type.FullName.Contains("__", StringComparison.Ordinal) || type.CustomAttributes.Concat(field.CustomAttributes).Any(attribute => attribute.AttributeType.Name is "GeneratedCodeAttribute")
            || (field.Name.StartsWith('<') && !field.Name.EndsWith("k__BackingField", StringComparison.Ordinal)) || field.Name.StartsWith("s_default", StringComparison.Ordinal);

    private static string Name(FieldDefinition field) => field.Name.Replace("k__BackingField", "").Trim('<', '>');
}
