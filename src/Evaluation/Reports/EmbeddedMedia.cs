using MASQuant.Evaluation.Markup;

namespace MASQuant.Evaluation.Reports;

/// <summary>Puts images and clips into a page as data URIs, up to a size for each and for all.</summary>
internal sealed class EmbeddedMedia
{
    private const int MaxBytes = 400_000;
    private const int MaxTotalBytes = 6_000_000;
    private long _total;

    /// <summary>Writes a player or an image, or a line that says what is left out and why. What a file holds decides, not its name.</summary>
    public void Write(MarkupWriter html, MediaSource source, string description)
    {
        ReadOnlyMemory<byte> bytes;
        try
        {
            bytes = source.Read();
        }
        catch (MASQuantException)
        {
            LeaveOut(html, description, "the file is gone");
            return;
        }

        if (TypeOf(bytes.Span) is not { } type)
        {
            LeaveOut(html, description, "no PNG, JPEG or WAV file");
        }
        else if (bytes.Length > MaxBytes || _total + bytes.Length > MaxTotalBytes)
        {
            LeaveOut(html, description, $"{Figures.Bytes(bytes.Length)} are too much for a page");
        }
        else
        {
            _total += bytes.Length;
            var data = $"data:{type};base64,{Convert.ToBase64String(bytes.Span)}";
            if (type == "audio/wav")
            {
                using (html.Element("audio", ("controls", ""), ("preload", "none"), ("aria-label", description), ("src", data)))
                {
                    html.Text("");
                }
            }
            else
            {
                html.Empty("img", ("alt", description), ("src", data));
            }
        }
    }

    private static void LeaveOut(MarkupWriter html, string description, string reason) => html.Element("p", $"{description}: left out, {reason}.", ("class", "soft"));

    private static string? TypeOf(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => "image/png",
        [0xFF, 0xD8, 0xFF, ..] => "image/jpeg",
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'A', (byte)'V', (byte)'E', ..] => "audio/wav",
        _ => null,
    };
}
