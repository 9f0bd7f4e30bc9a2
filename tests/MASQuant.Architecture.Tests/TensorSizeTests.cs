using Mono.Cecil;
using Mono.Cecil.Cil;

namespace MASQuant.Architecture.Tests;

/// <summary>A tensor may have more than 2 GiB: its size is no <c>int</c>, and its bytes are no one span.</summary>
public class TensorSizeTests
{
    // Whole tensors at once: each with the reason why none is as large.
    private static readonly Dictionary<string, string> WholeTensors = new()
    {
        ["ITensorSource"] = "what small sources need not write themselves",
        ["Artifact"] = "the manifest and embedded files; passes on what callers ask for",
        ["Checkpoint"] = "passes on what callers ask for",
        ["LayerTensors"] = "codes and scales of one layer",
        ["DenseLinear"] = "one layer of a tower",
        ["CodedMatrix"] = "codes of less than 2 GiB: others are not stored so",
        ["BFloat16Tensor"] = "one layer; tables are read in pieces",
    };

    // Sizes that become an int: each with what keeps them small.
    private static readonly Dictionary<string, string> NarrowedSizes = new()
    {
        ["TensorReading"] = "compared with the longest array before",
    };

    [Fact]
    public void No_tensor_is_taken_whole_but_those_listed() => AssertListed(WholeTensors, "takes a whole tensor at once: read pieces (TensorPieces, TensorRows)",
        instruction => IsBytesOfOneName(instruction.Operand as MethodReference));

    [Fact]
    public void No_size_of_a_tensor_becomes_an_int_but_those_listed() => AssertListed(NarrowedSizes, "makes an int of a tensor's size: use long",
        instruction => IsSize(instruction.Operand as MethodReference) && instruction.Next?.OpCode.Code is Code.Conv_I4 or Code.Conv_Ovf_I4 or Code.Conv_U4 or Code.Conv_Ovf_U4);

    private static void AssertListed(Dictionary<string, string> allowed, string fault, Func<Instruction, bool> isFound)
    {
        var found = ProductAssemblies.Projects.SelectMany(ProductAssemblies.Types)
            .Where(type => AllOf(type).SelectMany(inner => inner.Methods).Where(method => method.HasBody).Any(method => method.Body.Instructions.Any(isFound)))
            .Select(type => type.Name).Distinct().Order(StringComparer.Ordinal).ToArray();
        string[] differences = [.. found.Except(allowed.Keys).Select(name => $"{name} {fault}, or list it with its reason."), .. allowed.Keys.Except(found).Select(name => $"{name} is listed and does not.")];
        Assert.True(differences.Length == 0, string.Join("\n", differences));
    }

    private static bool IsBytesOfOneName(MethodReference? method) => method is { Name: "Bytes", Parameters.Count: 1 } && method.Parameters[0].ParameterType.FullName == "System.String"
        && method.DeclaringType.Name is "ITensorSource" or "IModelSource" or "SafetensorsFile" or "Checkpoint" or "Artifact";

    private static bool IsSize(MethodReference? method) => method is { Name: "get_Count" or "get_Bytes", DeclaringType.Name: "TensorInfo" or "TensorPayload" };

    private static IEnumerable<TypeDefinition> AllOf(TypeDefinition type) => [type, .. type.NestedTypes.SelectMany(AllOf)];
}
