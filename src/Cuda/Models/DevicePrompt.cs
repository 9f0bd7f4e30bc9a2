using System.Runtime.InteropServices;
using MASQuant.Cuda.Gemm;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;

namespace MASQuant.Cuda.Models;

/// <summary>Evaluates prompts on a device, one at a time, chunk by chunk, each padded to a length whose work is recorded.</summary>
/// <param name="decoder">The shared decoder.</param>
/// <param name="workspace">Scratch memory.</param>
/// <param name="step">Scratch memory of the host.</param>
/// <param name="runs">Work over the cache that keys and values go to.</param>
/// <param name="chunkTokens">How many tokens are evaluated at once.</param>
internal sealed class DevicePrompt(DeviceDecoder decoder, DeviceWorkspace workspace, DeviceStep step, RecordedRuns runs, int chunkTokens)
{
    private const int DecodeTokens = GemmKernels.DecodeTokens;
    private const int TileTokens = 128;
    private readonly RotaryTable _rotary = new(decoder.Description.Rotary);
    private int _seen;

    /// <summary>The prompt under evaluation.</summary>
    public PreparedPrompt? Prompt { get; private set; }

    /// <summary>Whether all of it has been evaluated.</summary>
    public bool IsDone => runs.Cache.Length == Prompt!.InputIds.Length;

    /// <summary>Begins a prompt in place of the one before.</summary>
    public void Begin(PreparedPrompt prompt)
    {
        var tokens = prompt.InputIds.Length;
        ArgumentOutOfRangeException.ThrowIfZero(tokens, nameof(prompt));
        runs.Cache.Length = 0;
        runs.Cache.Reserve(tokens, Pad(tokens) - tokens);
        (Prompt, _seen) = (prompt, 0);
    }

    /// <summary>Evaluates the next chunk and takes of its rows those among <paramref name="count"/> from <paramref name="first"/> on; for a sequence the last row's logits are computed, and the choice made, with the last chunk.</summary>
    public void Advance(int first, int count, Sequence[] chosen)
    {
        var (prompt, start) = (Prompt!, runs.Cache.Length);
        var tokens = prompt.InputIds.Length;
        var chunk = Math.Min(chunkTokens, tokens - start);
        var (from, to) = (Math.Max(first, start), Math.Min(first + count, start + chunk));
        var choices = start + chunk == tokens ? chosen : [];
        var (text, drawn) = WriteChunk(prompt, start, chunk, Math.Max(0, from - start), choices);
        runs.Launch(Pad(chunk), text, apart: chunk == 1, choices.Length, drawn);
        if (to > from && choices.Length == 0)
        {
            runs.Forward.Take(to - from, from - first);
        }

        runs.Cache.Length += chunk;
    }

    /// <summary>Copies a chunk's input to the device: ids, and the rows of media; padding is zero, and text. Whether all of it is text, and whether chance decides.</summary>
    private (bool Text, bool Drawn) WriteChunk(PreparedPrompt prompt, int start, int chunk, int firstRow, Sequence[] chosen)
    {
        var padded = Pad(chunk);
        var modalities = prompt.Modalities.Tokens.Slice(start, chunk);
        var text = modalities.IndexOfAnyExcept(Modality.Text) < 0;
        runs.Cache.Reserve(chunk, padded - chunk);
        workspace.ReserveTokens(padded);
        workspace.ReserveMedia(text ? 0 : padded);
        _rotary.Set(prompt.PositionIds, start, chunk);
        step.Start(padded, firstRow, _rotary);
        step.Cached[0] = start;
        var sources = step.Sources;
        for (var (token, media) = (0, 0); token < chunk; token++)
        {
            var isText = modalities[token] == Modality.Text;
            sources[token] = isText ? prompt.InputIds[start + token] : TokenKernels.Medium(media++);
            if (isText)
            {
                decoder.Vocabulary?.RequireRow(sources[token]);
            }
        }

        var drawn = step.Draw(chosen, chosen.Length);
        step.Write();
        if (!text)
        {
            WriteMedia(prompt.InputEmbeddings, start, modalities);
            WriteDeepstack(prompt.Deepstack.From(_seen), padded, modalities);
            _seen += modalities.Count(Modality.Vision);
            decoder.Device.Clear(workspace.Modalities, padded);
            decoder.Device.Write(workspace.Modalities, MemoryMarshal.AsBytes(modalities));
        }

        return (text, drawn);
    }

    /// <summary>Copies the rows of tokens that are not text, run by run, one behind the other.</summary>
    private void WriteMedia(Matrix embeddings, int start, ReadOnlySpan<Modality> modalities)
    {
        var width = embeddings.Columns;
        for (var (token, target) = (0, workspace.Media); token < modalities.Length; token++)
        {
            var rest = modalities[token..];
            var count = rest.IndexOf(Modality.Text) is var end && end < 0 ? rest.Length : end;
            decoder.Device.Write(target, MemoryMarshal.AsBytes(embeddings.Span.Slice((start + token) * width, count * width)));
            target += (long)count * width * sizeof(float);
            token += count;
        }
    }

    /// <summary>Copies the rows of the first blocks beside those of the media; where other media stand, there are zeros.</summary>
    private void WriteDeepstack(DeepstackRows rows, int padded, ReadOnlySpan<Modality> modalities)
    {
        for (var level = 0; level < decoder.DeepstackLevels; level++)
        {
            var (target, width) = (workspace.Deepstack(padded).Level(level), decoder.Config.HiddenSize);
            for (var (token, seen) = (0, 0); token < modalities.Length;)
            {
                var modality = modalities[token];
                var count = modalities[token..].IndexOfAnyExcept(modality) is var end && end < 0 ? modalities.Length - token : end;
                var bytes = (long)count * width * sizeof(float);
                if (modality == Modality.Vision)
                {
                    decoder.Device.Write(target, MemoryMarshal.AsBytes(rows.Rows(level, seen, count)));
                    seen += count;
                }
                else if (modality != Modality.Text)
                {
                    decoder.Device.Clear(target, bytes);
                }

                target += modality == Modality.Text ? 0 : bytes;
                token += count;
            }
        }
    }

    /// <summary>The length under which a run is recorded: one token, a decode tile, then multiples of the prefill's tile.</summary>
    private static int Pad(int tokens) => tokens == 1 ? 1 : tokens <= DecodeTokens ? DecodeTokens : (tokens + TileTokens - 1) / TileTokens * TileTokens;
}
