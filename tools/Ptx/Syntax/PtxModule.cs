using System.Globalization;
using System.Text.RegularExpressions;

namespace MASQuant.Ptx.Syntax;

/// <summary>PTX text, split into its entries, which are decoded when first asked for.</summary>
internal sealed partial class PtxModule
{
    private readonly Dictionary<string, (string Header, string Body, int Line)> _sources = [];
    private readonly Dictionary<string, PtxEntry> _entries = [];
    private readonly List<string> _moduleVariables = [];

    public PtxModule(string text)
    {
        text = Comments().Replace(text, "");
        var outside = 0;
        foreach (Match match in Entries().Matches(text))
        {
            AddVariables(text[outside..match.Index]);
            var start = match.Index + match.Length;
            outside = End(text, start);
            _sources[match.Groups["name"].Value] = (match.Groups["header"].Value, text[start..(outside - 1)], text.AsSpan(0, start).Count('\n') + 1);
        }

        AddVariables(text[outside..]);
    }

    /// <summary>The names of all kernels.</summary>
    public IEnumerable<string> Names => _sources.Keys;

    /// <summary>A kernel, decoded.</summary>
    public PtxEntry this[string name]
    {
        get
        {
            if (!_entries.TryGetValue(name, out var entry))
            {
                var (header, body, line) = _sources.TryGetValue(name, out var source) ? source : throw new PtxException(PtxFault.Launch, $"the module has no entry {name}");
                var maxThreads = MaxThreads().Match(header) is { Success: true } match ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) : 1024;
                _entries[name] = entry = new EntryDecoder(name, _moduleVariables).Decode(header, body, line, maxThreads);
            }

            return entry;
        }
    }

    private void AddVariables(string text)
    {
        foreach (Match match in ModuleVariables().Matches(text))
        {
            _moduleVariables.Add(match.Value);
        }
    }

    /// <summary>The place behind the brace that closes the one before <paramref name="start"/>.</summary>
    private static int End(string text, int start)
    {
        var depth = 1;
        while (depth > 0)
        {
            depth += text[start] switch { '{' => 1, '}' => -1, _ => 0 };
            start++;
        }

        return start;
    }

    [GeneratedRegex(@"//[^\n]*")]
    private static partial Regex Comments();

    [GeneratedRegex(@"\.entry\s+(?<name>[\w$]+)\s*\((?<header>[^{]*)\{")]
    private static partial Regex Entries();

    [GeneratedRegex(@"\.maxntid\s+(\d+)")]
    private static partial Regex MaxThreads();

    [GeneratedRegex(@"\.shared\s[^;]*;")]
    private static partial Regex ModuleVariables();
}
