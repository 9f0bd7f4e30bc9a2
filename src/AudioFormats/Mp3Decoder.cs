namespace MASQuant.AudioFormats;

/// <summary>Reads MP3 (MPEG 1, 2 and 2.5, layer III) by NLayer: <c>new ModelOptions { AudioDecoders = [new Mp3Decoder()] }</c>. What decoder and encoder put before the clip is left out, and behind it, where the file says how much.</summary>
/// <remarks>Managed code. NLayer 3.0.1 errs in the highest band of short blocks, above 15 kHz for rates of 32 kHz and more, which no model hears.</remarks>
public sealed class Mp3Decoder : IAudioDecoder
{
    /// <inheritdoc/>
    public bool Recognizes(ReadOnlySpan<byte> file) => file.StartsWith("ID3"u8) || (file.Length > 1 && file[0] == 0xFF && (file[1] & 0xE6) == 0xE2);

    /// <inheritdoc/>
    public IAudioReader Open(ReadOnlyMemory<byte> file) => new Mp3Reader(file);
}
