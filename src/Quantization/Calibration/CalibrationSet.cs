using System.Security.Cryptography;
using System.Text;
using MASQuant.Diagnostics;
using MASQuant.Engine.Generation;
using MASQuant.Formats.Files;
using MASQuant.Formats.Models;

namespace MASQuant.Quantization.Calibration;

/// <summary>The conversations that calibrate a model: checked against its modalities, and hashed by content.</summary>
public sealed class CalibrationSet
{
    private CalibrationSet(string path, IReadOnlyList<Conversation> conversations, IReadOnlyList<string> hashes, CalibrationSubset? subset)
    {
        Path = path;
        Conversations = conversations;
        SampleHashes = hashes;
        Subset = subset;
        Sha256 = ContentHash.OfText(string.Join('\n', SampleHashes));
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The samples, in the order of the file.</summary>
    public IReadOnlyList<Conversation> Conversations { get; }

    /// <summary>Per sample, SHA-256 of its text and media; equal samples have equal hashes wherever their files lie.</summary>
    public IReadOnlyList<string> SampleHashes { get; }

    /// <summary>SHA-256 over <see cref="SampleHashes"/>.</summary>
    public string Sha256 { get; }

    /// <summary>How the samples were drawn from the file; null when they are all of it.</summary>
    public CalibrationSubset? Subset { get; }

    /// <summary>Reads a set for a model.</summary>
    /// <exception cref="MASQuantException">MASQ0401, MASQ0402, MASQ0405 from reading; MASQ0403 a sample has a modality that the model lacks; MASQ0404 no sample has a modality of the model.</exception>
    public static CalibrationSet Load(string path, ModelConfig config, CancellationToken cancellationToken = default)
    {
        var conversations = ConversationFile.Read(path, cancellationToken);
        CheckModalities(path, conversations, config);
        RequireModalities(path, conversations, config);
        return new CalibrationSet(path, conversations, [.. conversations.Select(Hash)], subset: null);
    }

    /// <summary>A random part of the set, in the order of the file.</summary>
    /// <exception cref="MASQuantException">MASQ0404 no drawn sample has a modality of the model; MASQ0406 the set has fewer samples.</exception>
    public CalibrationSet Take(CalibrationSubset subset, ModelConfig config)
    {
        if (subset.Samples < 1 || subset.Samples > Conversations.Count)
        {
            throw new MASQuantException(DiagnosticCodes.CalibrationSubsetTooLarge, Path,
                $"{subset.Samples} samples were asked for; the set has {Conversations.Count}. Ask for 1 to {Conversations.Count}.");
        }

        var order = Enumerable.Range(0, Conversations.Count).ToArray();
        new RandomSequence(subset.Seed).Shuffle(order);
        int[] drawn = [.. FirstOfEach(order, config.Modalities).Concat(order).Distinct().Take(subset.Samples).Order()];
        Conversation[] conversations = [.. drawn.Select(i => Conversations[i])];
        RequireModalities(Path, conversations, config);
        return new CalibrationSet(Path, conversations, [.. drawn.Select(i => SampleHashes[i])], subset);
    }

    /// <summary>Refuses samples with a modality that the model lacks.</summary>
    /// <exception cref="MASQuantException">MASQ0403.</exception>
    public static void CheckModalities(string path, IReadOnlyList<Conversation> conversations, ModelConfig config)
    {
        foreach (var modality in Enum.GetValues<Modality>().Except(config.Modalities))
        {
            if (conversations.FirstOrDefault(conversation => conversation.Has(modality)) is { } conversation)
            {
                throw new MASQuantException(DiagnosticCodes.ConversationModalityUnsupported, path,
                    $"The conversation holds {modality.ToString().ToLowerInvariant()} input; {config.Family} takes {string.Join(", ", config.Modalities)}. Remove the line or choose another model.")
                { Line = conversation.Line };
            }
        }
    }

    /// <summary>SHA-256 of a conversation's roles, texts and media contents.</summary>
    public static string Hash(Conversation conversation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var message in conversation.Messages)
        {
            Append(hash, "role", Encoding.UTF8.GetBytes(message.Role.ToString()));
            foreach (var part in message.Content)
            {
                switch (part)
                {
                    case TextPart text:
                        Append(hash, "text", Encoding.UTF8.GetBytes(text.Text));
                        break;
                    case ImagePart image:
                        Append(hash, "image", image.Source.Read().Span);
                        break;
                    case AudioPart audio:
                        Append(hash, "audio", audio.Source.Read().Span);
                        break;
                    case VideoPart video:
                        foreach (var frame in video.Frames)
                        {
                            Append(hash, "frame", frame.Read().Span);
                        }

                        if (video.Sound is { } sound)
                        {
                            Append(hash, "sound", sound.Read().Span);
                        }

                        break;
                }
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    // Drawn in any case, so that no draw misses a modality; the rarest come first, since their samples often hold the others.
    private List<int> FirstOfEach(int[] order, IReadOnlyList<Modality> modalities)
    {
        var first = new List<int>();
        foreach (var modality in modalities.OrderBy(modality => Conversations.Count(conversation => conversation.Has(modality))))
        {
            if (!first.Any(i => Conversations[i].Has(modality)))
            {
                first.AddRange(order.Where(i => Conversations[i].Has(modality)).Take(1));
            }
        }

        return first;
    }

    private static void RequireModalities(string path, IReadOnlyList<Conversation> conversations, ModelConfig config)
    {
        foreach (var modality in config.Modalities)
        {
            if (!conversations.Any(conversation => conversation.Has(modality)))
            {
                throw new MASQuantException(DiagnosticCodes.CalibrationModalityMissing, path,
                    $"No sample holds {modality}, which the model takes. Add conversations with {modality.ToString().ToLowerInvariant()} input, or its factors would be guesses.");
            }
        }
    }

    // Lengths keep neighbouring pieces apart.
    private static void Append(IncrementalHash hash, string kind, ReadOnlySpan<byte> content)
    {
        hash.AppendData(Encoding.ASCII.GetBytes(FormattableString.Invariant($"{kind}:{content.Length}\n")));
        hash.AppendData(content);
    }
}
