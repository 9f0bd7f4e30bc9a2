namespace MASQuant.Generators.Tests;

/// <summary>The runtime's types that generated code names.</summary>
internal static class StandInSource
{
    public const string Text = """
        #nullable enable
        #pragma warning disable CS1591
        using System;
        using System.Collections.Generic;
        using System.Threading;

        namespace MASQuant
        {
            public sealed class Prompt;
            public sealed class ModelOptions;
            public sealed class GenerationOptions;

            public sealed class MultimodalModel : IDisposable
            {
                public Artifacts.Artifact? Artifact => null;
                public static MultimodalModel Load(string path, ModelOptions? options) => new();
                public IEnumerable<string> Generate(Prompt prompt, GenerationOptions? options, CancellationToken cancellationToken) => [];
                public IAsyncEnumerable<string> GenerateAsync(Prompt prompt, GenerationOptions? options, CancellationToken cancellationToken) => throw new NotSupportedException();
                public void Dispose() { }
            }
        }

        namespace MASQuant.Artifacts
        {
            public sealed class Artifact;

            public static class ModelFiles
            {
                public static string Find(string file) => file;
            }
        }

        namespace MASQuant.Layers
        {
            public sealed class LayerLoader(int layer, string name, InputGroup group, int outputs, int inputs, Gemm.QuantizationScheme scheme, int rankVision, int rankAudio)
            {
                public object All => (layer, name, group, outputs, inputs, scheme, rankVision, rankAudio);
            }
        }
        """;
}
