using MASQuant.Engine.Chat;

namespace MASQuant.Engine.Models;

/// <summary>A prompt of which everything is known that its text and its media's headers tell; nothing is decoded or embedded.</summary>
public sealed class PromptPlan
{
    private readonly MediumSpan[] _media;

    internal PromptPlan(TokenizedPrompt rendered, IReadOnlyList<CountedMedium> media, int[] ids, PositionIds positions, ModalityMap modalities)
    {
        (Rendered, Ids, Positions, Modalities) = (rendered, ids, positions, modalities);
        _media = new MediumSpan[media.Count];
        var end = 0;
        for (var i = 0; i < _media.Length; i++)
        {
            var start = PlaceholderTokens.Next(modalities, end);
            foreach (var extent in media[i].Extents)
            {
                end = PlaceholderTokens.Next(modalities, end) + extent.Tokens;
            }

            _media[i] = new MediumSpan(media[i], start, end);
        }
    }

    /// <summary>The token ids, placeholders expanded.</summary>
    public int[] Ids { get; }

    internal TokenizedPrompt Rendered { get; }

    internal PositionIds Positions { get; }

    internal ModalityMap Modalities { get; }

    /// <summary>The media that do not stand before a token.</summary>
    internal IEnumerable<CountedMedium> MediaFrom(int token) => _media.Where(span => span.Start >= token).Select(span => span.Medium);

    /// <summary>What decides the keys and values of its tokens. Reads and hashes the media.</summary>
    /// <exception cref="MASQuantException">A frame cannot be read.</exception>
    public PromptTokens Identify(ModelLimits limits, CancellationToken cancellationToken = default)
    {
        for (var i = 0; i < _media.Length; i++)
        {
            _media[i] = _media[i] with { Medium = MediumHash.Of(_media[i].Medium, limits, cancellationToken) };
        }

        return new PromptTokens(Ids, Positions, [.. _media.Select(span => (span.Start, span.End, span.Medium.Hash!))]);
    }

    private readonly record struct MediumSpan(CountedMedium Medium, int Start, int End);
}
