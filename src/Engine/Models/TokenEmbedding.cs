using System.Runtime.InteropServices;
using MASQuant.Diagnostics;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Models;

/// <summary>The embedding table, [V, H]; rows in BF16 or at 8 bits stay in the mapped file and are converted when they are looked up.</summary>
public sealed class TokenEmbedding
{
    private readonly string _path;
    private readonly TensorRows? _bfloats;
    private readonly Matrix? _floats;
    private readonly CodedMatrix? _codes;

    private TokenEmbedding(string path, TextConfig config, TensorRows? bfloats = null, Matrix? floats = null, CodedMatrix? codes = null)
        => (_path, VocabularySize, HiddenSize, _bfloats, _floats, _codes) = (path, config.VocabularySize, config.HiddenSize, bfloats, floats, codes);

    /// <summary>V, the number of rows.</summary>
    public int VocabularySize { get; }

    /// <summary>H, the width of a row.</summary>
    public int HiddenSize { get; }

    /// <summary>Finds the embedding of a decoder; <paramref name="source"/> must outlive the result.</summary>
    /// <exception cref="MASQuantException">The tensor is missing, of another shape or type, or not finite.</exception>
    public static TokenEmbedding Of(ITensorSource source, DecoderDescription decoder)
    {
        var (config, name) = (decoder.Config, decoder.Embedding);
        var (rows, columns) = (config.VocabularySize, config.HiddenSize);
        if (CodedMatrix.TryRead(source, name, rows, columns) is { } codes)
        {
            return new TokenEmbedding(source.Path, config, codes: codes);
        }

        var tensor = source.Find(name);
        if (tensor.Type == DataType.BF16 && tensor.Shape.SequenceEqual([rows, columns]))
        {
            source.RequireFinite(tensor);
            source.Discard(name); // All of it was read; a prompt looks up a few rows.
            return new TokenEmbedding(source.Path, config, TensorRows.Of(source, tensor));
        }

        return new TokenEmbedding(source.Path, config, floats: source.ReadMatrix(name, rows, columns));
    }

    /// <summary>Looks up the rows of <paramref name="ids"/>.</summary>
    /// <param name="ids">T token ids.</param>
    /// <param name="embeddings">[T, H], overwritten.</param>
    /// <exception cref="MASQuantException">MASQ0923: an id is not in 0…V−1.</exception>
    public void Lookup(ReadOnlySpan<int> ids, Matrix embeddings)
    {
        for (var t = 0; t < ids.Length; t++)
        {
            RequireRow(ids[t]);
            if (_floats is not null)
            {
                _floats.Row(ids[t]).CopyTo(embeddings.Row(t));
            }
            else if (_codes is not null)
            {
                CodedRows.Read(_codes, ids[t], embeddings.Row(t));
            }
            else
            {
                BFloat16.Widen(MemoryMarshal.Cast<byte, ushort>(_bfloats!.Row(ids[t])), embeddings.Row(t));
            }
        }
    }

    /// <summary>Refuses an id without a row.</summary>
    /// <exception cref="MASQuantException">MASQ0923: <paramref name="id"/> is not in 0…V−1.</exception>
    public void RequireRow(int id)
    {
        if ((uint)id >= (uint)VocabularySize)
        {
            throw new MASQuantException(DiagnosticCodes.TokenOutsideEmbedding, _path,
                $"Token {id} has no row in the embedding, which has {VocabularySize}. Take tokenizer.json, config.json and the weights from the same revision of the checkpoint.");
        }
    }

    /// <summary>The table, in full precision, as the head of a model that ties them.</summary>
    internal DenseWeight ToHead(ITensorSource source, DecoderDescription decoder)
    {
        if (_floats is not null)
        {
            return DenseWeight.FromFloats(_floats);
        }

        var head = DenseWeight.FromBFloat16(_bfloats!, VocabularySize, HiddenSize);
        source.Discard(decoder.Embedding);
        return head;
    }
}
