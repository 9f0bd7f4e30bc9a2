using System.Text;
using MASQuant.Platform;

namespace MASQuant.Quantization.Calibration;

/// <summary>Lines of a text file, as <see cref="File.ReadLines(string)"/> gives them, but that no line takes more memory than a limit: of a longer one there is its beginning, one character more than the limit.</summary>
internal static class BoundedLines
{
    private const int BufferCharacters = 1 << 12;

    /// <summary>Reads the lines one by one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxLength">The most characters of a line that is whole.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IEnumerable<string> Read(string path, int maxLength)
    {
        using var reader = new StreamReader(FileSystem.Current.Open(path, FileMode.Open, FileAccess.Read, FileShare.Read));
        var buffer = new char[BufferCharacters];
        var line = new StringBuilder();
        var (afterReturn, ended) = (false, true); // A line feed behind a carriage return ends no further line.
        for (int count; (count = reader.Read(buffer)) > 0;)
        {
            for (var start = 0; start < count;)
            {
                if (afterReturn && buffer[start] == '\n')
                {
                    (afterReturn, start) = (false, start + 1);
                    continue;
                }

                var length = buffer.AsSpan(start, count - start).IndexOfAny('\r', '\n');
                var part = length < 0 ? count - start : length;
                line.Append(buffer, start, Math.Min(part, maxLength + 1 - line.Length));
                ended = length >= 0;
                afterReturn = ended && buffer[start + part] == '\r';
                start += part + 1;
                if (ended)
                {
                    yield return line.ToString();
                    line.Clear();
                }
            }
        }

        if (!ended)
        {
            yield return line.ToString();
        }
    }
}
