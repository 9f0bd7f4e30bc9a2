namespace MASQuant;

/// <summary>What a token stands for. It decides which smoothing factor and which low-rank patch the token meets in every quantized linear layer.</summary>
public enum Modality : byte
{
    /// <summary>Everything that is neither seen nor heard, every generated token included. The base modality: its factor shapes the stored weight.</summary>
    Text = 0,

    /// <summary>Image and video tokens.</summary>
    Vision = 1,

    /// <summary>Audio tokens.</summary>
    Audio = 2,
}
