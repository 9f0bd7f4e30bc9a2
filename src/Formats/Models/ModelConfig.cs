using MASQuant.Formats.Configuration;

namespace MASQuant.Formats.Models;

/// <summary>What <c>config.json</c> says of a model, whichever tool wrote it. Token ids without a default are required.</summary>
public sealed record ModelConfig
{
    /// <summary>The family, by <c>model_type</c>.</summary>
    public required ModelFamily Family { get; init; }

    /// <summary>The decoder.</summary>
    public required TextConfig Text { get; init; }

    /// <summary>The vision tower.</summary>
    public required VisionConfig Vision { get; init; }

    /// <summary>The audio tower, or null for a family without one.</summary>
    public AudioConfig? Audio { get; init; }

    /// <summary>The placeholder of one merged image patch.</summary>
    public required int ImageTokenId { get; init; }

    /// <summary>The placeholder of one merged video patch.</summary>
    public required int VideoTokenId { get; init; }

    /// <summary>The placeholder of one audio frame, or −1.</summary>
    public int AudioTokenId { get; init; } = -1;

    /// <summary>The token before an image or video.</summary>
    public required int VisionStartTokenId { get; init; }

    /// <summary>The token after an image or video.</summary>
    public required int VisionEndTokenId { get; init; }

    /// <summary>The token before an audio clip, or −1.</summary>
    public int AudioStartTokenId { get; init; } = -1;

    /// <summary>The token after an audio clip, or −1.</summary>
    public int AudioEndTokenId { get; init; } = -1;

    /// <summary>Temporal positions per second of video.</summary>
    public double PositionsPerSecond { get; init; } = 1;

    /// <summary>Seconds of a chunk where a video is interleaved with its sound.</summary>
    public double SecondsPerChunk { get; init; } = 2;

    /// <summary>The modalities that the model takes, text first.</summary>
    public IReadOnlyList<Modality> Modalities => Family.Modalities;

    /// <summary>The tokens around turns, media and calls of functions, and in place of media.</summary>
    public ControlTokens ControlTokens => new(
        [Family.Chat.TurnStart, Family.Chat.TurnEnd],
        [ImageTokenId, VideoTokenId, AudioTokenId, VisionStartTokenId, VisionEndTokenId, AudioStartTokenId, AudioEndTokenId])
    {
        Marks = Family.Chat.Marks,
    };

    /// <summary>What the language model is made of.</summary>
    public DecoderDescription Decoder() => Family.Decoder(this);

    /// <summary>What the vision tower is made of.</summary>
    public VisionTowerDescription VisionTower() => Family.VisionTower(this);

    /// <summary>What the audio tower is made of; null for a model that does not hear.</summary>
    public AudioTowerDescription? AudioTower() => Family.AudioTower(this);
}
