using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.Build.Utilities;

namespace MASQuant.Tasks;

/// <summary>Items out of plain texts. MSBuild takes an item's name and metadata as it would write them itself, so a folder named <c>dol$(X)lar</c> or <c>pct%41</c> would become another one.</summary>
internal static class EscapedItem
{
    private static readonly SearchValues<char> Special = SearchValues.Create("%*?@$();'");

    /// <summary>An item of a plain name.</summary>
    public static TaskItem Of(string name) => new(Escape(name));

    /// <summary>Gives an item a plain metadata value.</summary>
    public static void Set(this TaskItem item, string metadata, string value) => item.SetMetadata(metadata, Escape(value));

    // As a rule there is nothing to do; this also runs inside MSBuild, in builds with nothing to do.
    private static string Escape(string text)
    {
        if (!text.AsSpan().ContainsAny(Special))
        {
            return text;
        }

        var escaped = new StringBuilder();
        foreach (var letter in text)
        {
            if (Special.Contains(letter))
            {
                escaped.Append('%').Append(((int)letter).ToString("x2", CultureInfo.InvariantCulture));
            }
            else
            {
                escaped.Append(letter);
            }
        }

        return escaped.ToString();
    }
}
