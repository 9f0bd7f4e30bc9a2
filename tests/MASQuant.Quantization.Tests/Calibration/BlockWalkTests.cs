using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Factors;
using MASQuant.Quantization.Tests.Pipeline;
using MASQuant.Quantization.Weights;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Calibration;

/// <summary>A walk through a block against whole passes through it. The quantized stream differs from the exact one from the start. omni-tiny's down_proj is wide enough to share a stop, vl-tiny's is not.</summary>
public sealed class BlockWalkTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();
    private Checkpoint? _checkpoint;
    private DecoderDescription _decoder = null!;
    private IReadOnlyList<CalibrationSequence> _sequences = [];
    private BlockRunner _runner = null!;
    private BlockWeights _weights = null!;
    private TransformerBlock _exact = null!;

    public void Dispose()
    {
        _checkpoint?.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(nameof(RepositoryFiles.OmniTiny))]
    [InlineData(nameof(RepositoryFiles.VlTiny))]
    [InlineData(nameof(SmallCheckpoint))]
    [InlineData(nameof(SmallCheckpoint.WriteWithStates))]
    public void Both_streams_pass_what_whole_blocks_pass(string model)
    {
        Open(model);
        var block = _exact;
        var (exact, quantized) = (Inputs(), Inputs());
        var walk = _runner.Walk(_exact);
        foreach (var group in _exact.Description.Groups)
        {
            // Twice: a second round asks again.
            for (var round = 0; round < 2; round++)
            {
                AssertEqual(Seen(block, group, quantized, sequence => sequence.Quantized).Select(seen => seen.X), Inputs(walk, group));
                AssertEqual(Seen(_exact, group, exact, sequence => sequence.Exact).SelectMany(seen => seen.Y), Outputs(walk, group));
            }

            var layers = Quantized(group);
            block = block.With(group, layers);
            walk.Pass(group, layers, default);
        }

        AssertEqual(Whole(_exact, exact, sequence => sequence.Exact), _sequences.Select(sequence => sequence.Exact));
        AssertEqual(Whole(block, quantized, sequence => sequence.Quantized), _sequences.Select(sequence => sequence.Quantized));
    }

    [Theory]
    [InlineData(nameof(RepositoryFiles.OmniTiny))]
    [InlineData(nameof(RepositoryFiles.VlTiny))]
    [InlineData(nameof(SmallCheckpoint))]
    [InlineData(nameof(SmallCheckpoint.WriteWithStates))]
    public void A_block_is_passed_without_having_been_looked_at(string model)
    {
        Open(model);
        var inputs = Inputs();
        var block = _exact;
        var walk = _runner.Walk(_exact);
        foreach (var group in _exact.Description.Groups)
        {
            block = block.With(group, Quantized(group));
            walk.Pass(group, block[group], default);
        }

        AssertEqual(Whole(_exact, inputs, sequence => sequence.Exact), _sequences.Select(sequence => sequence.Exact));
        AssertEqual(Whole(block, inputs, sequence => sequence.Quantized), _sequences.Select(sequence => sequence.Quantized));
    }

    private void Open(string model)
    {
        var (folder, set) = model switch
        {
            nameof(RepositoryFiles.OmniTiny) => (RepositoryFiles.OmniTiny, RepositoryFiles.Data("calibration.jsonl")),
            nameof(RepositoryFiles.VlTiny) => (RepositoryFiles.VlTiny, TinyRun.Calibration(_folder.Path)),
            nameof(SmallCheckpoint.WriteWithStates) => (SmallCheckpoint.WriteWithStates(_folder.File("model")), TinyRun.Calibration(_folder.Path)),
            _ => (SmallCheckpoint.Write(_folder.File("model")), TinyRun.Calibration(_folder.Path)),
        };
        _checkpoint = Checkpoint.Open(folder);
        var config = ModelConfigReader.Read(_checkpoint);
        _decoder = config.Decoder();
        var conversations = CalibrationSet.Load(set, config);
        _sequences = CalibrationSequences.Embed(_checkpoint, config, conversations.Take(new CalibrationSubset(Math.Min(5, conversations.Conversations.Count), 1), config), new ImageBudget(), default);
        foreach (var sequence in _sequences)
        {
            sequence.Quantized = sequence.Exact.Copy();
            foreach (ref var value in sequence.Quantized.Span)
            {
                value *= 1.01f;
            }
        }

        _runner = new BlockRunner(config.Text, _sequences);
        _weights = BlockWeights.Of(_checkpoint, _decoder, 0);
        _exact = _weights.ToDense();
    }

    // What the sequences hold now; a walk replaces it.
    private CalibrationSequence[] Inputs() => [.. _sequences.Select(sequence => new CalibrationSequence
    {
        Modalities = sequence.Modalities,
        Rotary = sequence.Rotary,
        Deepstack = sequence.Deepstack,
        Exact = sequence.Exact.Copy(),
        Quantized = sequence.Quantized.Copy(),
    })];

    private static Matrix[] Inputs(BlockWalk walk, InputGroup group)
    {
        var seen = new List<Matrix>();
        walk.Inputs(group, (_, x) => seen.Add(x.Copy()), default);
        return [.. seen];
    }

    private static Matrix[] Outputs(BlockWalk walk, InputGroup group)
    {
        var (seen, waiting) = (new List<Matrix>(), new Matrix[walk.Slots][]);
        walk.Outputs(group, (_, slot, _, targets) => waiting[slot] = targets, (_, slot) => seen.AddRange(Matrix.Copy(waiting[slot])), default);
        return [.. seen];
    }

    private List<(Matrix X, Matrix[] Y)> Seen(TransformerBlock block, InputGroup group, CalibrationSequence[] inputs, Func<CalibrationSequence, Matrix> input)
    {
        var seen = new List<(Matrix, Matrix[])>();
        Whole(block.With(group, new ObservedLinearGroup(block[group], (x, y) => seen.Add((x.Copy(), Matrix.Copy(y))))), inputs, input);
        return seen;
    }

    private Matrix[] Whole(TransformerBlock block, CalibrationSequence[] inputs, Func<CalibrationSequence, Matrix> input) => [.. inputs.Select(sequence =>
    {
        var hidden = input(sequence).Copy();
        block.Forward(hidden, sequence.Modalities, sequence.Rotary, new DecoderWorkspace(_decoder.Config), deepstack: sequence.Deepstack);
        return hidden;
    })];

    private QuantizedLinearGroup Quantized(InputGroup group)
    {
        var linears = _weights.Group(group);
        var factors = SmoothingFactors.Ones(linears[0].Linear.Inputs);
        return new QuantizedLinearGroup([.. linears.Select(linear => new RtnQuantizer().Quantize(linear.ReadMatrix(), QuantizationScheme.W4A8).Pack(linear.Bias))], factors.Input, new CpuGemmBackend());
    }

    private static void AssertEqual(IEnumerable<Matrix> expected, IEnumerable<Matrix> actual)
    {
        var (left, right) = (expected.ToArray(), actual.ToArray());
        Assert.Equal(left.Length, right.Length);
        Assert.All(left.Zip(right), pair => Assert.Equal(pair.First.Span.ToArray(), pair.Second.Span.ToArray()));
    }
}
