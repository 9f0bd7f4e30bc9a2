using System.Runtime.InteropServices;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Vision;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Bench.Prefill;

/// <summary>A picture of 1 024 tokens through the vision tower of Qwen2.5-VL-3B's shape with random content: one block of each kind of attention, counted as often as the tower has them.</summary>
internal sealed class PrefillTower
{
    private const int Side = 64; // patches

    private static readonly VisionConfig Shape = new()
    {
        Depth = 32,
        HiddenSize = 1280,
        IntermediateSize = 3420,
        Heads = 16,
        OutHiddenSize = 2048,
        PatchSize = 14,
        SpatialMergeSize = 2,
        TemporalPatchSize = 2,
        WindowSize = 112,
        FullAttentionBlocks = [7, 15, 23, 31],
    };

    private readonly VisionTowerDescription _description = Qwen25VisionTower.Describe(Shape);
    private readonly VisionTowerLayout _layout = new(1, Side, Side, Shape);
    private readonly PartTimes _times;
    private readonly Random _random = new(3);
    private readonly DenseLinear _patchEmbedding;
    private readonly PartBlock _window;
    private readonly PartBlock _frame;
    private readonly PartBlock _merger;

    public PrefillTower(PartTimes times)
    {
        _times = times;
        _patchEmbedding = Linear(_description.PatchEmbedding);
        var frames = Shape.FullAttentionBlocks.Count;
        _window = Block(_description.Blocks[0], Shape.Depth - frames);
        _frame = Block(_description.Blocks[Shape.FullAttentionBlocks[0]], frames);
        _merger = Block(_description.Merger, 1);
    }

    /// <summary>Runs the picture step by step.</summary>
    public void RunParts()
    {
        _times.BeginRound();
        var pixels = QuantizedWorkload.RandomMatrix(_random, Side * Side, _description.PatchEmbedding.Inputs);
        Matrix x = null!;
        _times.Time("patch embedding", new(Flops: 2.0 * pixels.Rows * pixels.Columns * Shape.HiddenSize), () => x = _patchEmbedding.Forward(pixels));
        VisionTowerRotary rotary = null!;
        _times.Time("order and angles", Floor.Passes(x, x), () =>
        {
            x = VisionTower.InWindowOrder(x, _layout, Shape.SpatialMergeSize * Shape.SpatialMergeSize);
            rotary = new VisionTowerRotary(_layout, x.Rows, Shape.HiddenSize / Shape.Heads, _description.RotaryTheta);
        });
        var (values, attention) = (new StepValues(), new TowerAttention(_layout.WindowBounds, _layout.FrameBounds, rotary.Rotate, default));
        Run(_window, Attention(_layout.WindowBounds));
        Run(_frame, Attention(_layout.FrameBounds));
        Run(_merger, 0);

        void Run(PartBlock block, double flops)
        {
            values.Resume([]);
            var run = new BlockRun { Stream = x, Modalities = ModalityMap.Text(0), Values = values, Attention = attention, Deepstack = DeepstackRows.None };
            block.Run(ref run, flops);
        }
    }

    private static double Attention(int[] bounds) => 4.0 * Shape.HiddenSize * bounds.Zip(bounds.Skip(1), (start, end) => (double)(end - start) * (end - start)).Sum();

    private PartBlock Block(BlockDescription description, int count) => new(
        description,
        description.Norms.Select(norm => new Norm(norm, [.. Enumerable.Repeat(1f, norm.Size)], [])),
        description.Projections.Select(step => new PartDenseGroup(new DenseLinearGroup([.. step.Linears.Select(linear => (Weight(linear), new float[linear.Outputs]))]), _times, count)),
        _times,
        count);

    private DenseLinear Linear(LinearDescription linear) => new(Weight(linear), []);

    private DenseWeight Weight(LinearDescription linear)
    {
        var values = new ushort[linear.Outputs * linear.Inputs];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = BFloat16.FromSingle((_random.NextSingle() - 0.5f) * 0.1f);
        }

        return DenseWeight.FromBFloat16(MemoryMarshal.AsBytes(values.AsSpan()), linear.Outputs, linear.Inputs);
    }
}
