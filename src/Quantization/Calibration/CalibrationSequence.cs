using MASQuant.Engine.Layers;

namespace MASQuant.Quantization.Calibration;

/// <summary>One calibration sample as the decoder blocks see it while they are quantized in order.</summary>
public sealed class CalibrationSequence
{
    /// <summary>The modality of each of the T tokens.</summary>
    public required ModalityMap Modalities { get; init; }

    /// <summary>T token ids, placeholders expanded; may be empty where no gradient of the loss is wanted.</summary>
    public int[] InputIds { get; init; } = [];

    /// <summary>Where the expected answer stands.</summary>
    public Range AnswerRange { get; init; } = ..0;

    /// <summary>The rotary table of its positions.</summary>
    public required RotaryTable Rotary { get; init; }

    /// <summary>What the vision tower has left for the first blocks.</summary>
    public DeepstackRows Deepstack { get; init; } = DeepstackRows.None;

    /// <summary>The next block's input in full precision, [T, H].</summary>
    public required Matrix Exact { get; set; }

    /// <summary>The next block's input after the blocks that are quantized already, [T, H].</summary>
    public required Matrix Quantized { get; set; }
}
