using Mono.Cecil;
using Mono.Cecil.Cil;

namespace MASQuant.Architecture.Tests;

/// <summary>The types that a type needs, read from its signatures and instructions. Constants leave no trace there.</summary>
internal static class TypeUses
{
    public static IEnumerable<TypeReference> Of(TypeDefinition type)
    {
        IEnumerable<TypeReference?> direct =
        [
            type.BaseType,
            .. type.Interfaces.Select(implemented => implemented.InterfaceType),
            .. type.GenericParameters.SelectMany(parameter => parameter.Constraints).Select(constraint => constraint.ConstraintType),
            .. type.CustomAttributes.Select(attribute => attribute.AttributeType),
            .. type.Fields.Select(field => field.FieldType),
            .. type.Methods.SelectMany(Of),
            .. type.NestedTypes.SelectMany(Of),
        ];
        return direct.OfType<TypeReference>().SelectMany(Parts);
    }

    private static IEnumerable<TypeReference?> Of(MethodDefinition method) =>
    [
        method.ReturnType,
        .. method.Parameters.Select(parameter => parameter.ParameterType),
        .. method.GenericParameters.SelectMany(parameter => parameter.Constraints).Select(constraint => constraint.ConstraintType),
        .. method.HasBody ? method.Body.Variables.Select(variable => variable.VariableType) : [],
        .. method.HasBody ? method.Body.Instructions.SelectMany(Of) : [],
    ];

    private static IEnumerable<TypeReference?> Of(Instruction instruction) => instruction.Operand switch
    {
        TypeReference type => [type],
        GenericInstanceMethod method => [method.DeclaringType, .. method.GenericArguments],
        MethodReference method => [method.DeclaringType],
        FieldReference field => [field.DeclaringType, field.FieldType],
        _ => [],
    };

    /// <summary>A type without arrays, pointers and modifiers around it, its generic arguments beside it, and the type that holds it in its place.</summary>
    private static IEnumerable<TypeReference> Parts(TypeReference type)
    {
        while (type is TypeSpecification specification)
        {
            if (type is GenericInstanceType generic)
            {
                foreach (var part in generic.GenericArguments.SelectMany(Parts))
                {
                    yield return part;
                }
            }

            if (specification.ElementType is null)
            {
                yield break; // a pointer to a function
            }

            type = specification.ElementType;
        }

        while (type.DeclaringType is not null)
        {
            type = type.DeclaringType;
        }

        yield return type;
    }
}
