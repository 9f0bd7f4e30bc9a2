using MASQuant.Cuda.Device;
using MASQuant.Cuda.Gemm;

namespace MASQuant.Cuda.Models;

/// <summary>Queues a decoder's work on a device, step by step as <c>DecoderBlock</c> does it on the processor. Everything that changes between runs is read from device memory, so that a recording can be replayed.</summary>
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
        var modalities = text ? DevicePointer.Null : workspace.Modalities;
        var branch = DevicePointer.Null;
        for (var layer = 0; layer < decoder.Blocks.Count; layer++)
        {
            var block = decoder.Blocks[layer];
            Normalize(workspace.Hidden, branch, block.InputNorm, block.Qkv, tokens, modalities);
            Attend(block, layer, tokens, modalities, parts);
            Normalize(workspace.Hidden, workspace.Branch, block.PostAttentionNorm, block.GateUp, tokens, modalities);
            FeedForward(block, tokens, modalities);
            branch = workspace.Branch;
        }
    }

    /// <summary>Takes rows of the last block's output, from the one on that the step's values name, into row <paramref name="target"/> on of <see cref="DeviceWorkspace.Rows"/>.</summary>
    public void Take(int count, int target)
        => _device.Launch(DecoderKernels.TakeRows(
            workspace.Hidden, workspace.Branch, workspace.Step, workspace.Rows + ((long)target * decoder.Config.HiddenSize * sizeof(float)), count, decoder.Config.HiddenSize));

    /// <summary>The logits of R rows.</summary>
    public void Head(int rows)
    {
        Normalize(workspace.Rows, DevicePointer.Null, decoder.FinalNorm, new DeviceInputGroup(decoder.Head, decoder.Unsmoothed), rows, DevicePointer.Null);
        decoder.Head.Multiply(_device, workspace.Tokens, workspace.Logits, decoder.Config.VocabularySize);
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

    private void Attend(DeviceDecoderBlock block, int layer, int tokens, DevicePointer modalities, int parts)
    {
        var heads = decoder.Heads;
        var (queries, stride) = (heads.Queries * heads.Size, block.Qkv.Weight.Outputs);
        var (keys, values, cached) = (cache.Keys(layer), cache.Values(layer), workspace.Step + DeviceWorkspace.CachedStart);
        var cosines = workspace.Step + DeviceWorkspace.AnglesStart;
        block.Qkv.Weight.Multiply(_device, workspace.Tokens, workspace.Qkv, stride);
        _device.Launch(DecoderKernels.RotateAppend(workspace.Qkv, stride, heads, cosines, cosines + ((long)tokens * heads.Size / 2 * sizeof(float)), cached, keys, values, tokens, parts > 0 ? cache.SequenceValues : 0));
        if (parts > 0)
        {
            _device.Launch(DecoderKernels.AttendOne(workspace.Qkv, stride, heads, keys, values, cache.SequenceValues, cached, workspace.Parts, parts, tokens));
            _device.Launch(DecoderKernels.Merge(workspace.Parts, cached, parts, heads, workspace.Attended, tokens));
        }
        else
        {
            _device.Launch(DecoderKernels.Attend(workspace.Qkv, stride, heads, keys, values, cached, workspace.Attended, tokens));
        }

        workspace.Tokens.Reset(tokens, queries, modalities);
        _device.Launch(PrepareKernels.Tokens(workspace.Attended, queries, tokens, queries, block.O.Smoothing.For(modalities), workspace.Tokens.Target(block.O.Weight)));
        block.O.Weight.Multiply(_device, workspace.Tokens, workspace.Branch, decoder.Config.HiddenSize);
    }

    private void FeedForward(DeviceDecoderBlock block, int tokens, DevicePointer modalities)
    {
        var inner = decoder.Config.IntermediateSize;
        block.GateUp.Weight.Multiply(_device, workspace.Tokens, workspace.GateUp, 2 * inner);
        workspace.Tokens.Reset(tokens, inner, modalities);
        _device.Launch(PrepareKernels.Gated(
            workspace.GateUp, workspace.GateUp + ((long)inner * sizeof(float)), 2 * inner, tokens, inner, block.Down.Smoothing.For(modalities), workspace.Tokens.Target(block.Down.Weight)));
        block.Down.Weight.Multiply(_device, workspace.Tokens, workspace.Branch, decoder.Config.HiddenSize);
    }

    private void Normalize(DevicePointer hidden, DevicePointer branch, DeviceSlot gain, DeviceInputGroup group, int tokens, DevicePointer modalities)
    {
        workspace.Tokens.Reset(tokens, decoder.Config.HiddenSize, modalities);
        _device.Launch(PrepareKernels.Norm(
            hidden, branch, gain.Pointer, decoder.Config.RmsNormEpsilon, tokens, decoder.Config.HiddenSize, group.Smoothing.For(modalities), workspace.Tokens.Target(group.Weight)));
    }
}
