using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;

namespace MASQuant.Cuda.Models;

/// <summary>Queues a decoder's work on a device. Everything that changes between runs is read from device memory, so that a recording can be replayed.</summary>
public sealed class DeviceForward(DeviceDecoder decoder, DeviceWorkspace workspace, DeviceKvCache cache)
{
    private readonly ICudaDevice _device = decoder.Device;

    /// <summary>Fills <see cref="DeviceWorkspace.Hidden"/> with what the step's sources name.</summary>
    public void Embed(int tokens) => _device.Launch(decoder.Embed(workspace.Sources(tokens), workspace.Media, workspace.Hidden, tokens));

    /// <summary>Runs all blocks on the M tokens of the workspace; the last block's output is <see cref="DeviceWorkspace.Hidden"/> + <see cref="DeviceWorkspace.Branch"/>.</summary>
    /// <param name="tokens">M, padding included.</param>
    /// <param name="text">Whether all of them are text: then no low-rank work is queued.</param>
    /// <param name="parts">Into how many parts one token's keys are divided; 0: not at all, the tokens are of one sequence. Otherwise each is of its own.</param>
    public void Blocks(int tokens, bool text, int parts)
    {
        var pass = text ? new DevicePass(_device, workspace.Buffers, tokens) : new DevicePass(_device, workspace.Buffers, tokens, workspace.Modalities, workspace.Deepstack(tokens));
        for (var layer = 0; layer < decoder.Blocks.Count; layer++)
        {
            pass.Run(
                decoder.Blocks[layer],
                new CachedAttention(_device, workspace, cache, layer, decoder.Heads.Rotated, parts),
                recurrence: new DeviceRecurrence(_device, workspace.Counts, cache.States, layer, apart: parts > 0));
        }
    }

    /// <summary>Takes rows of the last block's output, from the one on that the step's values name, into row <paramref name="target"/> on of <see cref="DeviceWorkspace.Rows"/>.</summary>
    public void Take(int count, int target)
        => _device.Launch(DecoderKernels.TakeRows(
            workspace.Hidden, workspace.Branch, workspace.Step, workspace.Rows + ((long)target * decoder.Config.HiddenSize * sizeof(float)), count, decoder.Config.HiddenSize));

    /// <summary>The logits of R rows.</summary>
    public void Head(int rows)
    {
        decoder.FinalNorm.Prepare(_device, workspace.Tokens, workspace.Rows, DevicePointer.Null, rows, DevicePointer.Null, decoder.Head);
        decoder.Head.Weight.Multiply(_device, workspace.Tokens, workspace.Logits, decoder.Config.VocabularySize);
    }

    /// <summary>The choice of R rows of logits: their largest, or what chance draws.</summary>
    /// <param name="rows">R.</param>
    /// <param name="draws">[R] <c>TokenDraw</c>; null: the largest everywhere.</param>
    public void Choose(int rows, DevicePointer draws = default)
    {
        var vocabulary = decoder.Config.VocabularySize;
        _device.Launch(TokenKernels.ChooseParts(workspace.Logits, vocabulary, workspace.ChoiceParts, rows));
        _device.Launch(TokenKernels.Choose(workspace.ChoiceParts, vocabulary, workspace.Chosen, rows));
        if (draws != DevicePointer.Null)
        {
            _device.Launch(TokenKernels.Draw(workspace.Logits, vocabulary, draws, workspace.Chosen, rows));
        }
    }
}
