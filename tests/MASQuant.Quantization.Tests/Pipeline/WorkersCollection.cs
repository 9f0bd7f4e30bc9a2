using MASQuant.Engine.Tensors;

namespace MASQuant.Quantization.Tests.Pipeline;

/// <summary>Tests that change the number of worker threads run alone.</summary>
[CollectionDefinition(nameof(Workers), DisableParallelization = true)]
public class WorkersCollection;
