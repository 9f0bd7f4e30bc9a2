using System.Reflection;
using Mono.Cecil;

namespace MASQuant.Architecture.Tests;

/// <summary>Numbers reach libtorch through <c>TensorArithmetic</c> alone, which holds them. Where TorchSharp makes a Scalar by itself (operators with numbers, sums of tensors, squares) nothing holds it while libtorch reads it, and the garbage collector may have freed it.</summary>
public class HeldNumberTests
{
    private const string Holder = "TensorArithmetic";

    [Fact]
    public void No_number_is_left_to_TorchSharp()
    {
        var library = typeof(HeldNumberTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(fact => fact.Key == "TorchSharp").Value!;
        using var torchSharp = ModuleDefinition.ReadModule(Directory.GetFiles(library, "TorchSharp.dll", SearchOption.AllDirectories).Order(StringComparer.Ordinal).First());
        var makers = Makers(torchSharp);
        var calls = ProductAssemblies.Types("Torch").Concat(ProductAssemblies.Types("TorchSharp")).SelectMany(AllOf)
            .SelectMany(type => type.Methods)
            .SelectMany(method => Calls(method).Select(to => (From: method, To: to)))
            .ToLookup(call => call.To.Name == "ToScalar");
        Assert.NotEmpty(calls[true]);
        Assert.All(calls[true], call => Assert.Equal(Holder, call.From.DeclaringType.Name));
        var left = calls[false].Where(call => makers.Contains(NameOf(call.To))).Select(call => $"{call.From.DeclaringType.Name}.{call.From.Name} calls {call.To.FullName}").ToArray();
        Assert.True(left.Length == 0, string.Join("\n", left));
    }

    // What makes a Scalar, and what calls such a method, and so on.
    private static HashSet<string> Makers(ModuleDefinition torchSharp)
    {
        var callers = torchSharp.GetTypes().SelectMany(type => type.Methods).SelectMany(method => Calls(method).Select(called => (Caller: NameOf(method), Called: NameOf(called)))).ToLookup(call => call.Called, call => call.Caller);
        var makers = callers.Select(called => called.Key).Where(name => name.Contains("::ToScalar(", StringComparison.Ordinal)).ToHashSet();
        for (var pending = new Queue<string>(makers); pending.TryDequeue(out var maker);)
        {
            foreach (var caller in callers[maker].Where(makers.Add))
            {
                pending.Enqueue(caller);
            }
        }

        return makers;
    }

    private static string NameOf(MethodReference method) => method.GetElementMethod().FullName;

    private static IEnumerable<MethodReference> Calls(MethodDefinition method)
        => !method.HasBody ? [] : method.Body.Instructions.Select(instruction => instruction.Operand).OfType<MethodReference>().Where(called => called.DeclaringType.FullName.StartsWith("TorchSharp.", StringComparison.Ordinal));

    private static IEnumerable<TypeDefinition> AllOf(TypeDefinition type) => [type, .. type.NestedTypes.SelectMany(AllOf)];
}
