using MASQuant.Diagnostics;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Models;

/// <summary>The tokens that stand for media: one per medium in a rendered prompt, one per tower output in the model's input.</summary>
public static class PlaceholderTokens
{
    /// <summary>The modality of a token.</summary>
    public static Modality ModalityOf(int id, ModelConfig config)
    {
        if (id == config.ImageTokenId || id == config.VideoTokenId)
        {
            return Modality.Vision;
        }

        return id == config.AudioTokenId ? Modality.Audio : Modality.Text;
    }

    /// <summary>The modality of every token of an expanded sequence.</summary>
    public static ModalityMap Map(ReadOnlySpan<int> ids, ModelConfig config)
    {
        var modalities = new Modality[ids.Length];
        for (var t = 0; t < ids.Length; t++)
        {
            modalities[t] = ModalityOf(ids[t], config);
        }

        return new ModalityMap(modalities);
    }

    /// <summary>Repeats each placeholder as often as its medium has tokens; <paramref name="media"/> are in the order of the placeholders.</summary>
    /// <exception cref="MASQuantException">MASQ0920: placeholders and media do not correspond.</exception>
    public static int[] Expand(ReadOnlySpan<int> ids, IReadOnlyList<MediaExtent> media, ModelConfig config)
    {
        var length = ids.Length;
        foreach (var extent in media)
        {
            length = checked(length + extent.Tokens - (extent.HasPlaceholder ? 1 : 0));
        }

        var expanded = new List<int>(length);
        var next = 0;
        foreach (var id in ids)
        {
            if (ModalityOf(id, config) == Modality.Text)
            {
                expanded.Add(id);
                continue;
            }

            Take(media, next, id);
            do
            {
                expanded.AddRange(Enumerable.Repeat(media[next].PlaceholderId, media[next].Tokens));
            }
            while (++next < media.Count && !media[next].HasPlaceholder);
        }

        CheckAllTaken(media, next);
        return [.. expanded];
    }

    /// <summary>The first token from one on that stands for a medium.</summary>
    internal static int Next(ModalityMap modalities, int token)
    {
        while (modalities[token] == Modality.Text)
        {
            token++;
        }

        return token;
    }

    internal static MediaExtent Take(IReadOnlyList<MediaExtent> media, int index, int id)
    {
        if (index >= media.Count || media[index].PlaceholderId != id)
        {
            throw new MASQuantException(DiagnosticCodes.PlaceholderMismatch, null,
                $"Placeholder {index + 1} of the prompt is token {id}, but {(index >= media.Count ? $"only {media.Count} media were given" : $"medium {index + 1} belongs to token {media[index].PlaceholderId}")}. Give one medium per placeholder, in the prompt's order.");
        }

        return media[index];
    }

    internal static void CheckAllTaken(IReadOnlyList<MediaExtent> media, int taken)
    {
        if (taken != media.Count)
        {
            throw new MASQuantException(DiagnosticCodes.PlaceholderMismatch, null,
                $"The prompt has {taken} placeholders for {media.Count} media. Give one medium per placeholder, in the prompt's order.");
        }
    }
}
