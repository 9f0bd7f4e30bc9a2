using System.Text.Json;
using MASQuant.Diagnostics;

namespace MASQuant.Engine.Text;

/// <summary>Reads <c>tokenizer.json</c> as the hub's <c>tokenizers</c> library writes it. Large parts stream: neither vocabulary nor merges become objects.</summary>
internal sealed class TokenizerFile
{
    private readonly string _path;
    private readonly List<(int Id, int Start, int Length)> _entries = [];
    private byte[] _bytes = [];
    private int _used;

    private TokenizerFile(string path) => _path = path;

    /// <summary>The tokens.</summary>
    public Vocabulary Vocabulary { get; private set; } = null!;

    /// <summary>The merges.</summary>
    public MergeTable Merges { get; } = new();

    /// <summary>Cuts text.</summary>
    public QwenSplitter Splitter { get; private set; } = QwenSplitter.Letters;

    /// <summary>The added tokens, in the file's order.</summary>
    public List<AddedToken> AddedTokens { get; } = [];

    /// <summary>Reads the file's bytes; <paramref name="path"/> is for messages.</summary>
    /// <exception cref="MASQuantException"><see cref="DiagnosticCodes.TokenizerMalformed"/>, <see cref="DiagnosticCodes.TokenizerUnsupported"/>
    /// or <see cref="DiagnosticCodes.TokenizerInconsistent"/>.</exception>
    public static TokenizerFile Read(ReadOnlySpan<byte> json, string path)
    {
        var file = new TokenizerFile(path);
        try
        {
            file.ReadRoot(json.StartsWith("\uFEFF"u8) ? json[3..] : json);
        }
        catch (JsonException error)
        {
            throw new MASQuantException(DiagnosticCodes.TokenizerMalformed, path,
                $"The tokenizer is not valid JSON: {error.Message} Download the file again.", error)
            {
                Line = (int)Math.Min(error.LineNumber.GetValueOrDefault() + 1, int.MaxValue),
            };
        }
        catch (InvalidOperationException error)
        {
            throw new MASQuantException(DiagnosticCodes.TokenizerMalformed, path,
                $"The tokenizer does not have the structure of a tokenizer.json: {error.Message} Download the file again.", error);
        }
        catch (FormatException error)
        {
            throw new MASQuantException(DiagnosticCodes.TokenizerInconsistent, path,
                $"The tokenizer contradicts itself: {error.Message}. Download the file again, or export it again from its source.", error);
        }

        return file;
    }

    private void ReadRoot(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        JsonElement added = default, normalizer = default, preTokenizer = default, postProcessor = default, decoder = default;
        var hasModel = false;
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString();
            reader.Read();
            if (name == "model")
            {
                ReadModel(ref reader);
                hasModel = true;
                continue;
            }

            var value = JsonElement.ParseValue(ref reader);
            switch (name)
            {
                case "added_tokens": added = value; break;
                case "normalizer": normalizer = value; break;
                case "pre_tokenizer": preTokenizer = value; break;
                case "post_processor": postProcessor = value; break;
                case "decoder": decoder = value; break;
                default: break;
            }
        }

        if (reader.Read() || !hasModel)
        {
            throw new InvalidOperationException(hasModel ? "something follows the JSON object." : "it has no 'model'.");
        }

        Splitter = TokenizerPipeline.Read(normalizer, preTokenizer, postProcessor, decoder, _path);
        if (added.ValueKind == JsonValueKind.Array)
        {
            ReadAddedTokens(added);
        }
    }

    private void ReadModel(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new InvalidOperationException("'model' is not an object.");
        }

        Utf8JsonReader merges = default;
        var hasMerges = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            switch (name)
            {
                case "vocab":
                    ReadVocabulary(ref reader);
                    break;
                case "merges":
                    // They need the vocabulary, which may come later: come back to this place.
                    merges = reader;
                    hasMerges = true;
                    reader.Skip();
                    break;
                default:
                    TokenizerPipeline.CheckModel(name, JsonElement.ParseValue(ref reader), _path);
                    break;
            }
        }

        if (Vocabulary is null || !hasMerges)
        {
            throw new InvalidOperationException("'model' lacks 'vocab' or 'merges'.");
        }

        ReadMerges(ref merges);
    }

    private void ReadVocabulary(ref Utf8JsonReader reader)
    {
        if (Vocabulary is not null || reader.TokenType != JsonTokenType.StartObject)
        {
            throw new InvalidOperationException("'model.vocab' is not one object.");
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var start = _used;
            AppendBytes(ref reader);
            if (!reader.Read() || reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out var id))
            {
                throw new InvalidOperationException("a token id in 'model.vocab' is not a 32-bit integer.");
            }

            _entries.Add((id, start, _used - start));
        }

        Vocabulary = new Vocabulary(_bytes.AsSpan(0, _used).ToArray(), _entries);
        _entries.Clear();
    }

    private void ReadMerges(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new InvalidOperationException("'model.merges' is not an array.");
        }

        Merges.EnsureCapacity(Vocabulary.Count);
        for (var rank = 0; reader.Read() && reader.TokenType != JsonTokenType.EndArray; rank++)
        {
            _used = 0;
            int split;
            if (reader.TokenType == JsonTokenType.StartArray)
            {
                Expect(ref reader, JsonTokenType.String);
                split = AppendBytes(ref reader);
                Expect(ref reader, JsonTokenType.String);
                AppendBytes(ref reader);
                Expect(ref reader, JsonTokenType.EndArray);
            }
            else
            {
                split = AppendPair(ref reader);
            }

            var left = Vocabulary.Find(_bytes.AsSpan(0, split));
            var right = Vocabulary.Find(_bytes.AsSpan(split, _used - split));
            var merged = Vocabulary.Find(_bytes.AsSpan(0, _used));
            if (left < 0 || right < 0 || merged < 0)
            {
                throw new FormatException($"merge {rank} concerns tokens that the vocabulary lacks");
            }

            Merges.Add(rank, left, right, merged);
        }
    }

    // "left right": the space is no character of the byte alphabet, so the first one divides.
    private int AppendPair(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            throw new InvalidOperationException("an entry of 'model.merges' is neither a string nor a pair.");
        }

        var pair = Unescaped(ref reader);
        var space = pair.IndexOf((byte)' ');
        if (space < 0)
        {
            throw new FormatException("an entry of 'model.merges' lacks the space between its two tokens");
        }

        var split = Append(pair[..space]);
        Append(pair[(space + 1)..]);
        return split;
    }

    private int AppendBytes(ref Utf8JsonReader reader) => Append(Unescaped(ref reader));

    private static ReadOnlySpan<byte> Unescaped(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped)
        {
            return reader.ValueSpan;
        }

        Span<byte> value = new byte[reader.ValueSpan.Length];
        return value[..reader.CopyString(value)];
    }

    // Returns the end of what has been appended so far.
    private int Append(ReadOnlySpan<byte> entry)
    {
        if (_bytes.Length - _used < entry.Length)
        {
            Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, _used + entry.Length + 4096));
        }

        var count = ByteAlphabet.Decode(entry, _bytes.AsSpan(_used));
        if (count < 0)
        {
            throw new FormatException($"'{System.Text.Encoding.UTF8.GetString(entry)}' is not written in the byte-level alphabet");
        }

        return _used += count;
    }

    private void ReadAddedTokens(JsonElement tokens)
    {
        foreach (var element in tokens.EnumerateArray())
        {
            bool Is(string name) => element.TryGetProperty(name, out var value) && value.GetBoolean();

            if (!element.TryGetProperty("id", out var number) || !number.TryGetInt32(out var id) || !element.TryGetProperty("content", out var content))
            {
                throw new FormatException("an added token lacks its content, or an id that is a 32-bit integer");
            }

            var token = new AddedToken(id, content.GetString() ?? "")
            {
                Special = Is("special"),
                Normalized = Is("normalized"),
                StripLeft = Is("lstrip"),
                StripRight = Is("rstrip"),
                SingleWord = Is("single_word"),
            };
            if (token.Content.Length > AddedToken.MaxLength)
            {
                throw new FormatException($"added token {id} has {token.Content.Length} characters, more than {AddedToken.MaxLength}");
            }

            Vocabulary.Add(token.Id, System.Text.Encoding.UTF8.GetBytes(token.Content));
            AddedTokens.Add(token);
        }
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type)
    {
        if (!reader.Read() || reader.TokenType != type)
        {
            throw new InvalidOperationException($"{type} expected at byte {reader.TokenStartIndex}, {reader.TokenType} found.");
        }
    }
}
