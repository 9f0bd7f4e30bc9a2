using System;
using Microsoft.CodeAnalysis;

/// <summary>What a generator with a bug looks like to the compiler.</summary>
[Generator]
public sealed class FailingGenerator : IIncrementalGenerator
{
    public void Initialize(IncrementalGeneratorInitializationContext context) 
        => context.RegisterSourceOutput(context.CompilationProvider, (_, _) => throw new InvalidOperationException("a bug"));
}
