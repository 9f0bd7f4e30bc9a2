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
    public void Run(DeviceTransformerBlock block, IDeviceAttention? attention = null, DevicePointer output = default)
    {
        var (steps, norm, group, rotates) = (block.Description.Steps, 0, 0, false);
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
                    var target = i + 1 == steps.Count ? output : steps[i + 1] is AddStep ? buffers.Branch : buffers.Projected;
                    weight.Multiply(device, buffers.Tokens, target, weight.Outputs);
                    break;
                case NormalizeHeadsStep heads:
                    NormHeads(heads, (ProjectStep)steps[i - 1], block.Norms[norm++], block.Norms[norm++], block.Groups[group - 1].Weight.Outputs);
                    break;
                case RotateStep:
                    rotates = true;
                    break;
                case AttendStep attend:
                    attention!.Queue(attend, rotates, buffers.Projected, block.Groups[group - 1].Weight.Outputs, _rows, buffers.Attended);
                    PrepareAttended(block.Groups[group]);
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

    private void NormHeads(NormalizeHeadsStep step, ProjectStep project, DeviceNorm queries, DeviceNorm keys, long stride)
    {
        var size = step.Queries.Size;
        var heads = new HeadShape(project.Linears[0].Outputs / size, project.Linears[1].Outputs / size, size);
        device.Launch(DecoderKernels.NormHeads(buffers.Projected, stride, heads, (queries.Gain.Pointer, step.Queries.Epsilon), (keys.Gain.Pointer, step.Keys.Epsilon), _rows));
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
