using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;
using MASQuant.Formats.Models;

namespace MASQuant.Cuda.Models;

/// <summary>One pass of M rows through blocks: queues their steps. What prepares the input of layers is one launch: the addition that is due, the norm (or attention's or the gate's result), smoothing and quantization.</summary>
/// <param name="device">Where everything lies.</param>
/// <param name="buffers">Where results go.</param>
/// <param name="rows">M.</param>
/// <param name="modalities">[M] bytes; null: all text.</param>
/// <param name="media">What the vision tower has left for a decoder's first blocks; nothing where all is text.</param>
/// <param name="branch">What is due to be added to the stream before the first block; null: nothing.</param>
internal sealed class DevicePass(ICudaDevice device, PassBuffers buffers, int rows, DevicePointer modalities = default, DeviceDeepstack media = default, DevicePointer branch = default)
{
    private DevicePointer _stream = buffers.Stream;
    private DevicePointer _branch = branch;
    private int _rows = rows;

    /// <summary>Queues a block; what it adds last is left in <see cref="PassBuffers.Branch"/>.</summary>
    /// <param name="block">The block.</param>
    /// <param name="attention">Queues its attention; null: it has none.</param>
    /// <param name="output">Receives what the last step leaves; null: it leaves nothing.</param>
    /// <param name="recurrence">Queues what carries a state; null: nothing does.</param>
    public void Run(DeviceTransformerBlock block, IDeviceAttention? attention = null, DevicePointer output = default, DeviceRecurrence? recurrence = null)
    {
        var (steps, norm, group, parameter, rotates) = (block.Description.Steps, 0, 0, 0, false);
        var stride = 0L; // from row to row of what was projected last, but for a and b
        (DevicePointer Rows, long Stride) operands = default; // queries, keys and values
        for (var i = 0; i < steps.Count; i++)
        {
            switch (steps[i])
            {
                case NormalizeStep:
                    block.Norms[norm++].Prepare(device, buffers.Tokens, _stream, _branch, _rows, modalities, block.Groups[group]);
                    _branch = DevicePointer.Null;
                    break;
                case ProjectStep:
                    var weight = block.Groups[group++].Weight;
                    if (i + 1 < steps.Count && steps[i + 1] is DeltaRuleStep)
                    {
                        weight.Multiply(device, buffers.Tokens, buffers.Ruling, weight.Outputs);
                        break;
                    }

                    var target = i + 1 == steps.Count ? output : steps[i + 1] is AddStep ? buffers.Branch : buffers.Projected;
                    weight.Multiply(device, buffers.Tokens, target, weight.Outputs);
                    stride = weight.Outputs;
                    operands = (buffers.Projected, stride);
                    break;
                case SplitGatesStep:
                    var heads = HeadsBehind(steps, i);
                    device.Launch(StateKernels.SplitGates(buffers.Projected, stride, heads, buffers.Beside, _rows));
                    operands = (buffers.Beside, (heads.Queries + (2L * heads.Keys)) * heads.Size);
                    break;
                case ConvolveStep convolve:
                    recurrence!.Convolve(convolve, buffers.Projected, stride, block.Parameters[parameter++].Pointer, _rows, buffers.Beside);
                    break;
                case DeltaRuleStep delta:
                    recurrence!.ApplyDeltaRule(delta, buffers.Beside, buffers.Ruling, block.Groups[group - 1].Weight.Outputs, (block.Parameters[parameter++], block.Parameters[parameter++]), buffers.Gates, _rows, buffers.Attended);
                    break;
                case NormalizeGatedStep gated:
                    NormGated(gated, block.Norms[norm++], stride, block.Groups[group]);
                    break;
                case GateOutputStep:
                    var attended = (AttendStep)steps[i - 1];
                    device.Launch(StateKernels.GateOutput(buffers.Attended, attended.Heads, attended.HeadSize, buffers.Projected, stride, _rows));
                    PrepareAttended(block.Groups[group]);
                    break;
                case NormalizeHeadsStep normalize:
                    NormHeads(normalize, HeadsBehind(steps, i), block.Norms[norm++], block.Norms[norm++], operands);
                    break;
                case RotateStep:
                    rotates = true;
                    break;
                case AttendStep attend:
                    attention!.Queue(attend, rotates, operands.Rows, operands.Stride, _rows, buffers.Attended);
                    if (steps[i + 1] is not GateOutputStep)
                    {
                        PrepareAttended(block.Groups[group]);
                    }

                    rotates = false;
                    break;
                case GateStep:
                    PrepareGated(block.Groups[group - 1].Weight.Outputs, block.Groups[group]);
                    break;
                case ActivateStep activate:
                    PrepareActivated(block.Groups[group].Weight, activate.Function);
                    break;
                case AddStep:
                    _branch = buffers.Branch;
                    break;
                case DeepstackStep deepstack:
                    if (media.Sources != DevicePointer.Null)
                    {
                        device.Launch(TokenKernels.AddMedia(media.Sources, media.Level(deepstack.Level), _branch, _rows, media.Columns));
                    }

                    break;
                case JoinStreamStep join:
                    _rows /= join.Rows; // Its rows lie side by side.
                    break;
                case JoinStep join:
                    // Prepared rows lie side by side: several are one.
                    _rows /= join.Rows;
                    buffers.Tokens.Reset(_rows, block.Groups[group].Weight.Inputs, DevicePointer.Null);
                    break;
                case PoolStep:
                    _rows /= 2;
                    device.Launch(TowerKernels.Pool(_stream, _branch, _rows, block.Norms[norm].Description.Size, buffers.Attended));
                    (_stream, _branch) = (buffers.Attended, DevicePointer.Null);
                    break;
                default:
                    throw steps[i].Unknown("CUDA");
            }
        }
    }

    /// <summary>Queues a block that reads the stream and leaves it as it is, joined rows of it perhaps.</summary>
    /// <param name="block">The block.</param>
    /// <param name="output">Receives what the last step leaves.</param>
    public void RunBeside(DeviceTransformerBlock block, DevicePointer output)
    {
        var rows = _rows;
        Run(block, output: output);
        _rows = rows;
    }

    // Those of the step that attends next.
    private static HeadShape HeadsBehind(IReadOnlyList<BlockStep> steps, int index)
    {
        var attend = steps.Skip(index).OfType<AttendStep>().First();
        return new HeadShape(attend.Heads, attend.KeyValueHeads, attend.HeadSize);
    }

    private void NormHeads(NormalizeHeadsStep step, HeadShape heads, DeviceNorm queries, DeviceNorm keys, (DevicePointer Rows, long Stride) operands)
        => device.Launch(DecoderKernels.NormHeads(operands.Rows, operands.Stride, heads, (queries.Gain.Pointer, step.Queries.Epsilon), (keys.Gain.Pointer, step.Keys.Epsilon), _rows));

    // The gate's columns stand behind those that were convolved.
    private void NormGated(NormalizeGatedStep step, DeviceNorm norm, long stride, DeviceInputGroup reader)
    {
        var values = reader.Weight.Inputs;
        device.Launch(StateKernels.NormGated(
            buffers.Attended, values / step.Norm.Size, step.Norm, norm.Gain.Pointer, buffers.Projected + ((stride - values) * sizeof(float)), stride, _rows));
        PrepareAttended(reader);
    }

    private void PrepareAttended(DeviceInputGroup reader)
    {
        var inputs = reader.Weight.Inputs;
        buffers.Tokens.Reset(_rows, inputs, modalities);
        device.Launch(PrepareKernels.Tokens(buffers.Attended, inputs, _rows, inputs, reader.SmoothingFor(modalities), buffers.Tokens.Target(reader.Weight)));
    }

    private void PrepareGated(int stride, DeviceInputGroup reader)
    {
        var inputs = reader.Weight.Inputs;
        buffers.Tokens.Reset(_rows, inputs, modalities);
        device.Launch(PrepareKernels.Gated(
            buffers.Projected, buffers.Projected + ((long)stride / 2 * sizeof(float)), stride, _rows, inputs, reader.SmoothingFor(modalities), buffers.Tokens.Target(reader.Weight)));
    }

    private void PrepareActivated(DeviceWeight reader, Activation function)
    {
        buffers.Tokens.Reset(_rows, reader.Inputs, DevicePointer.Null);
        device.Launch(TowerKernels.Activate(buffers.Projected, _rows, reader.Inputs, buffers.Tokens.Smoothed.Rows, (int)function));
    }
}
