using System.Globalization;
using System.Text;

namespace MASQuant;

/// <summary>
/// Text of others (names of tensors, members and files, answers of servers) as it may go to terminals and logs: what would steer these is written out, as in JSON. That is control characters (C0 but for tabs, DEL, C1),
/// what turns the direction of writing, and what build servers take for commands: <c>::</c> at the beginning of a line, and <c>##word[</c>.
/// </summary>
internal struct VisibleText
{
    // Of ::, the colons so far; −1 behind anything but white space.
    private int _colons;

    // Of ##word[, the characters so far: no more than the second, then as many as there are letters.
    private int _command;

    /// <summary>The text in one line.</summary>
    public static string Of(string text) => Of(text, keepsLines: false);

    /// <summary>The text with its lines.</summary>
    public static string OfLines(string text) => Of(text, keepsLines: true);

    /// <summary>Goes on by a character of a line, and tells whether it is to be written out.</summary>
    public bool Steers(char letter)
    {
        if (letter == '\n')
        {
            this = default;
            return true;
        }

        var command = _command;
        _colons = _colons < 0 || (_colons > 0 && letter != ':') ? -1 : letter == ':' ? _colons + 1 : char.IsWhiteSpace(letter) ? 0 : -1;
        _command = letter == '#' ? _command == 0 ? 1 : 2 : _command >= 2 && char.IsLetter(letter) ? _command + 1 : 0;
        return (char.IsControl(letter) && letter != '\t') || TurnsWriting(letter) || _colons == 2 || (letter == '[' && command >= 2);
    }

    /// <summary>A character written out.</summary>
    public static string Escape(char letter) => letter switch
    {
        '\n' => "\\n",
        '\r' => "\\r",
        _ => "\\u" + ((int)letter).ToString("x4", CultureInfo.InvariantCulture),
    };

    private static string Of(string text, bool keepsLines)
    {
        var state = default(VisibleText);
        StringBuilder? visible = null;
        for (var i = 0; i < text.Length; i++)
        {
            var letter = text[i];
            if (state.Steers(letter) && !(keepsLines && letter == '\n'))
            {
                visible ??= new StringBuilder(text, 0, i, text.Length + 16);
                visible.Append(Escape(letter));
            }
            else
            {
                visible?.Append(letter);
            }
        }

        return visible?.ToString() ?? text;
    }

    // Marks, embeddings, overrides and isolates of the bidirectional algorithm, and the separators that some take for line ends.
    private static bool TurnsWriting(char letter)
        => letter is '\u061C' or '\u200E' or '\u200F' or '\u2028' or '\u2029' || (letter >= '\u202A' && letter <= '\u202E') || (letter >= '\u2066' && letter <= '\u2069');
}
