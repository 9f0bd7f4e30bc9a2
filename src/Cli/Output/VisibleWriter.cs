using System.Text;

namespace MASQuant.Cli.Output;

/// <summary>Writes out what would steer a terminal or a build server's log, whoever wrote it; lines stay lines.</summary>
/// <param name="inner">The stream.</param>
internal sealed class VisibleWriter(TextWriter inner) : TextWriter
{
    private VisibleText _line;
    private bool _carriageReturn;

    /// <inheritdoc/>
    public override Encoding Encoding => inner.Encoding;

    /// <inheritdoc/>
    [System.Diagnostics.CodeAnalysis.AllowNull]
    public override string NewLine
    {
        get => inner.NewLine;
        set => inner.NewLine = value;
    }

    /// <inheritdoc/>
    public override void Write(char value) => Write([value]);

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    /// <inheritdoc/>
    public override void Write(string? value) => Write(value.AsSpan());

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<char> buffer) => inner.Write(Visible(buffer));

    /// <inheritdoc/>
    public override void WriteLine() => WriteLine("");

    /// <inheritdoc/>
    public override void WriteLine(string? value)
    {
        inner.WriteLine(Visible(value.AsSpan()));
        _line = default;
    }

    /// <inheritdoc/>
    public override void WriteLine(ReadOnlySpan<char> buffer) => WriteLine(buffer.ToString());

    /// <inheritdoc/>
    public override void Flush() => inner.Flush();

    // A carriage return stays before a line feed alone.
    private string Visible(ReadOnlySpan<char> text)
    {
        var visible = new StringBuilder(text.Length + 1);
        foreach (var letter in text)
        {
            if (_carriageReturn)
            {
                visible.Append(letter == '\n' ? "\r" : VisibleText.Escape('\r'));
                _carriageReturn = false;
            }

            var steers = _line.Steers(letter);
            if (letter == '\r')
            {
                _carriageReturn = true;
            }
            else
            {
                visible.Append(steers && letter != '\n' ? VisibleText.Escape(letter) : letter.ToString());
            }
        }

        return visible.ToString();
    }
}
