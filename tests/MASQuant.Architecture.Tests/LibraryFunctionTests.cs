using Mono.Cecil;

namespace MASQuant.Architecture.Tests;

/// <summary>What a C library computes differs in its last bit between systems, their versions and processors: artifacts and answers take <c>Elementary</c>, which computes the same bits everywhere.</summary>
public class LibraryFunctionTests
{
    // Whoever draws or prints for people may.
    private static readonly Dictionary<string, string> Allowed = new()
    {
        ["ByteCount"] = "prints a size",
        ["ChartScale"] = "draws an axis",
        ["QuantizationVerdict"] = "prints a share",
        ["ResidualSection"] = "draws a mean curve",
    };

    private static readonly HashSet<string> Functions =
    [
        "Exp", "Exp2", "Exp10", "ExpM1", "Exp2M1", "Exp10M1", "Log", "Log2", "Log10", "LogP1", "Log2P1", "Log10P1", "Pow", "Cbrt", "RootN", "Hypot",
        "Sin", "Cos", "SinCos", "Tan", "SinPi", "CosPi", "SinCosPi", "TanPi", "Asin", "Acos", "Atan", "Atan2", "AsinPi", "AcosPi", "AtanPi", "Atan2Pi",
        "Sinh", "Cosh", "Tanh", "Asinh", "Acosh", "Atanh", "IEEERemainder", "FromPolarCoordinates",
        "ReciprocalEstimate", "ReciprocalSqrtEstimate", "MultiplyAddEstimate", // as the processor estimates
    ];

    [Fact]
    public void Functions_of_the_C_library_reach_no_result()
    {
        var found = ProductAssemblies.Projects.SelectMany(ProductAssemblies.Types)
            .Where(type => AllOf(type).SelectMany(inner => inner.Methods).Where(method => method.HasBody).Any(method => method.Body.Instructions.Any(instruction => IsOfTheLibrary(instruction.Operand as MethodReference))))
            .Select(type => type.Name).Distinct().Order(StringComparer.Ordinal).ToArray();
        string[] differences =
        [
            .. found.Except(Allowed.Keys).Select(name => $"{name} asks the C library: use Elementary, or list it with its reason."),
            .. Allowed.Keys.Except(found).Select(name => $"{name} is listed and does not."),
        ];
        Assert.True(differences.Length == 0, string.Join("\n", differences));
    }

    private static bool IsOfTheLibrary(MethodReference? method)
        => method is not null && Functions.Contains(method.Name)
            && method.DeclaringType.Namespace is ("System" or "System.Numerics" or "System.Numerics.Tensors" or "System.Runtime.Intrinsics")
            && method.DeclaringType.Name is not ("BitOperations" or "Int32" or "Int64" or "UInt32" or "UInt64"); // Log2 of these counts bits

    private static IEnumerable<TypeDefinition> AllOf(TypeDefinition type) => [type, .. type.NestedTypes.SelectMany(AllOf)];
}
