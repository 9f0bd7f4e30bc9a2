using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Engine.Tests.Artifacts;
using MASQuant.Engine.Tests.Models;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Schemes;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Layers;

/// <summary>Norms and SiLU that are computed row by row while layers prepare their input give the bits of a pass of their own.</summary>
public sealed class PreparedRowsTests : IDisposable
{
    private readonly Checkpoint _source = Checkpoint.Open(RepositoryFiles.OmniTiny);
    private readonly TextConfig _config;
    private readonly Decoder _decoder;

    public PreparedRowsTests()
    {
        _config = ModelConfigReader.Read(_source).Text;
        _decoder = TinyDecoder.Read(_source, _config);
    }

    public void Dispose() => _source.Dispose();

    [Theory]
    [InlineData("W4A8", 1)]
    [InlineData("W8A8", 70)]
    [InlineData("W4A16", 20)]
    public void Rows_in_place_of_a_matrix_change_no_bit(string schemeName, int tokens)
    {
        Assert.True(QuantizationScheme.TryParse(schemeName, out var scheme));
        var block = QuantizedDecoderTests.Compose(_decoder.Blocks[0], RandomLayer.Create(0, 0, _config, scheme), new CpuGemmBackend());
        var whole = Enum.GetValues<InputGroup>().Aggregate(block, (one, group) => one.With(group, new Whole(one[group])));
        Assert.Equal(Run(whole, tokens), Run(block, tokens));
    }

    [Fact]
    public void A_group_that_takes_rows_gets_no_matrix_of_norms_or_gates()
    {
        var block = QuantizedDecoderTests.Compose(_decoder.Blocks[0], RandomLayer.Create(0, 0, _config, QuantizationScheme.W4A8), new CpuGemmBackend());
        var taken = new Dictionary<InputGroup, string>();
        foreach (var group in Enum.GetValues<InputGroup>())
        {
            block = block.With(group, new Told(block[group], what => taken[group] = what));
        }

        Run(block, 3);
        Assert.Equal(["rows of NormedRows", "a matrix", "rows of NormedRows", "rows of GatedRows"], new[] { InputGroup.Qkv, InputGroup.O, InputGroup.GateUp, InputGroup.Down }.Select(group => taken[group]));
    }

    private float[] Run(TransformerBlock block, int tokens)
    {
        var (hidden, rotary) = (new Matrix(tokens, _config.HiddenSize, Oracle.Random(tokens * _config.HiddenSize, 1)), new RotaryTable(_decoder.Description.Rotary));
        rotary.Set([.. Enumerable.Range(0, tokens)]);
        block.Forward(hidden, new ModalityMap([.. Enumerable.Range(0, tokens).Select(token => (Modality)(token / 5 % 3))]), rotary, new DecoderWorkspace(_config));
        return hidden.Span.ToArray();
    }

    private sealed class Whole(ILinearGroup inner) : ILinearGroup
    {
        public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs) => inner.Forward(x, modalities, outputs);
    }

    private sealed class Told(ILinearGroup inner, Action<string> tell) : ILinearGroup, IPreparingGroup
    {
        public void Forward(Matrix x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
        {
            tell("a matrix");
            inner.Forward(x, modalities, outputs);
        }

        public void Forward(IInputRows x, ModalityMap modalities, ReadOnlySpan<Matrix> outputs)
        {
            tell("rows of " + x.GetType().Name);
            ((IPreparingGroup)inner).Forward(x, modalities, outputs);
        }
    }
}
