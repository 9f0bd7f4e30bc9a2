using Mono.Cecil;
using Mono.Cecil.Cil;

namespace MASQuant.Architecture.Tests;

/// <summary>The stack is small, and to run out of it ends the process: no size on it comes from input.</summary>
public class StackTests
{
    // Sizes that are no constants of the compiler: each with what keeps them small.
    private static readonly Dictionary<string, string> Allowed = new()
    {
        ["TokenWeights"] = "the lanes of a vector",
        ["RealGemm"] = "a tile: rows times the lanes of a few vectors",
        ["BlockRounding`1"] = "the lanes of a vector",
    };

    [Fact]
    public void No_size_on_the_stack_varies_but_those_listed()
    {
        var found = ProductAssemblies.Projects.SelectMany(ProductAssemblies.Types)
            .Where(type => AllOf(type).SelectMany(inner => inner.Methods).Where(method => method.HasBody).SelectMany(method => method.Body.Instructions).Any(Varies))
            .Select(type => type.Name).Distinct().Order(StringComparer.Ordinal).ToArray();
        string[] differences =
        [
            .. found.Except(Allowed.Keys).Select(name => $"{name} has a size on the stack that varies: make it a constant, or list it with what keeps it small."),
            .. Allowed.Keys.Except(found).Select(name => $"{name} is listed and has no such size."),
        ];
        Assert.True(differences.Length == 0, string.Join("\n", differences));
    }

    private static bool Varies(Instruction instruction) => instruction.OpCode.Code == Code.Localloc && !IsConstant(instruction.Previous, out _);

    // Whether what the instruction leaves on the stack is a constant, and the instruction before all that makes it.
    private static bool IsConstant(Instruction instruction, out Instruction before)
    {
        before = instruction.Previous;
        return instruction.OpCode.Code switch
        {
            Code.Sizeof => true,
            Code.Call => instruction.Operand is MethodReference { Name: "get_BufferSize" }, // of a marshaller of the framework
            Code.Conv_U or Code.Conv_I or Code.Conv_I4 or Code.Conv_U8 => IsConstant(instruction.Previous, out before),
            _ when IsLoad(instruction) && IsStore(instruction.Previous) => IsConstant(instruction.Previous.Previous, out before),
            Code.Mul or Code.Mul_Ovf or Code.Mul_Ovf_Un => IsConstant(instruction.Previous, out before) && IsConstant(before, out before),
            var code => code.ToString().StartsWith("Ldc_I4", StringComparison.Ordinal),
        };
    }

    private static bool IsLoad(Instruction instruction) => instruction.OpCode.Code.ToString().StartsWith("Ldloc", StringComparison.Ordinal);

    private static bool IsStore(Instruction instruction) => instruction.OpCode.Code.ToString().StartsWith("Stloc", StringComparison.Ordinal);

    private static IEnumerable<TypeDefinition> AllOf(TypeDefinition type) => [type, .. type.NestedTypes.SelectMany(AllOf)];
}
