using MASQuant.Diagnostics;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Tests.Artifacts;
using MASQuant.Formats.Schemes;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Execution;

/// <summary>Memory that ends while a prompt is evaluated ends that prompt alone.</summary>
public sealed class MemoryEndTests : IDisposable
{
    private const int Long = 40;
    private static readonly GenerationOptions Options = new() { MaxTokens = 5, StopTokens = [] };
    private readonly TemporaryDirectory _folder = new();
    private readonly string _artifact;

    public MemoryEndTests() => _artifact = RandomArtifact.Write(_folder.Path, RepositoryFiles.VlTiny, QuantizationScheme.W4A8);

    private static Prompt[] Prompts => [new Prompt().Text("Quote a verse."), new Prompt().Text(new string('?', 3 * Long)), new Prompt().Text("Say one."), new Prompt().Text("Say two.")];

    public void Dispose() => _folder.Dispose();

    // The first products of a block, those between, and those of the last block: caches of the blocks before have the prompt's tokens then.
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(9)]
    public async Task A_prompt_that_memory_does_not_hold_fails_alone(int call)
    {
        using var model = LoadedModel.Load(_artifact, new ModelOptions { MaxSequences = 2 }, content => new CpuExecution(content, new EndingMemory(call)));
        var answers = new string[Prompts.Length];
        var errors = new MASQuantException?[Prompts.Length];
        await foreach (var piece in model.GenerateBatchAsync(Prompts, Options))
        {
            answers[piece.Prompt] += piece.Text;
            errors[piece.Prompt] = piece.Error ?? errors[piece.Prompt];
        }

        Assert.Equal(DiagnosticCodes.PromptUnusable, errors[1]?.Code);
        Assert.IsType<InsufficientMemoryException>(errors[1]!.InnerException!.InnerException);
        foreach (var other in (int[])[0, 2, 3])
        {
            Assert.Null(errors[other]);
            Assert.Equal(string.Concat(model.Generate(Prompts[other], Options)), answers[other]);
        }

        Assert.Equal(DiagnosticCodes.PromptUnusable, Assert.Throws<MASQuantException>(() => model.Generate(Prompts[1], Options).First()).Code);
    }

    /// <summary>Has no memory for the products of a long prompt from the n-th on.</summary>
    private sealed class EndingMemory(int call) : IGemmBackend
    {
        private readonly CpuGemmBackend _inner = new();
        private int _calls;

        public void Prepare(Matrix x, ModalityMap modalities, InputTransform input, QuantizationScheme scheme, PreparedTokens tokens)
        {
            _calls = x.Rows > Long ? _calls + 1 : 0;
            if (_calls == call)
            {
                _calls = 0;
                throw new InsufficientMemoryException();
            }

            _inner.Prepare(x, modalities, input, scheme, tokens);
        }

        public void Multiply(PreparedTokens tokens, QuantizedWeight weight, Matrix y) => _inner.Multiply(tokens, weight, y);
    }
}
