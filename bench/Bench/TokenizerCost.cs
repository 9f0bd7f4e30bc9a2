using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using MASQuant.Engine.Text;
using Microsoft.ML.Tokenizers;
using Tokenizer = MASQuant.Engine.Text.Tokenizer;

namespace MASQuant.Bench;

/// <summary>What our tokenizer costs beside one whose merges are made by Microsoft.ML.Tokenizers (docs/decisions/0003): to load, to keep, to encode.</summary>
/// <remarks>The library is given vocabulary and merges as strings and encodes what our splitter cuts. It neither checks the file nor knows added tokens nor keeps bytes to decode to, so a tokenizer around it would cost more.</remarks>
internal static class TokenizerCost
{
    private const int Rounds = 7;
    private static readonly string[] Columns = ["load, ms", "kept, MB", "allocated, MB", "the docs, ms", "50 000 letters, ms", "200 000 letters, ms"];

    /// <summary>Measures both in turn, each time in a process of its own, and prints medians. All times are processor times.</summary>
    /// <param name="path">A Qwen tokenizer.json.</param>
    public static int Run(string path)
    {
        string[] names = ["ours", "library"];
        var rounds = Enumerable.Range(0, Rounds).Select(_ => names.Select(name => Measure(path, name)).ToArray()).ToArray();
        Console.WriteLine($"| | {string.Join(" | ", Columns)} |");
        Console.WriteLine($"|---{string.Concat(Columns.Select(_ => "|---:"))}|");
        for (var which = 0; which < names.Length; which++)
        {
            var medians = Columns.Select((_, column) => rounds.Select(round => round[which][column]).Order().ElementAt(Rounds / 2));
            Console.WriteLine($"| {names[which]} | {string.Join(" | ", medians.Select(value => value.ToString("F1", CultureInfo.InvariantCulture)))} |");
        }

        return 0;
    }

    /// <summary>Measures one of them in this process and prints its figures.</summary>
    public static int RunOne(string root, string path, string name)
    {
        var docs = string.Concat(Directory.EnumerateFiles(Path.Combine(root, "docs"), "*.md").Order(StringComparer.Ordinal).Select(File.ReadAllText));
        var random = new Random(1);
        var letters = new string([.. Enumerable.Range(0, 200_000).Select(_ => (char)('a' + random.Next(26)))]);
        var json = File.ReadAllBytes(path);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        Func<string, int> count = null!;
        var load = Milliseconds(() => count = name == "ours" ? Ours(json, path) : Library(json));
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var kept = GC.GetTotalMemory(forceFullCollection: true) - before;
        GC.KeepAlive(json);
        count(docs);
        double[] figures = [load, kept / 1e6, allocated / 1e6, Milliseconds(() => count(docs)), Milliseconds(() => count(letters[..50_000])), Milliseconds(() => count(letters))];
        Console.WriteLine(string.Join(' ', figures.Select(figure => figure.ToString("R", CultureInfo.InvariantCulture))));
        return 0;
    }

    private static Func<string, int> Ours(byte[] json, string path)
    {
        var tokenizer = Tokenizer.Load(json, path);
        return text => tokenizer.Encode(text).Count;
    }

    private static Func<string, int> Library(byte[] json)
    {
        var (vocabulary, merges) = Read(json);
        var core = BpeTokenizer.Create(new BpeOptions(vocabulary) { Merges = merges, ByteLevel = true });
        return text =>
        {
            var ids = new List<int>();
            for (ReadOnlySpan<char> rest = Nfc.Normalize(text); !rest.IsEmpty;)
            {
                var length = QwenSplitter.Letters.FirstPiece(rest);
                ids.AddRange(core.EncodeToIds(rest[..length], considerPreTokenization: false, considerNormalization: false));
                rest = rest[length..];
            }

            return ids.Count;
        };
    }

    // model.vocab and model.merges, the latter as "left right" or as pairs.
    private static (List<KeyValuePair<string, int>> Vocabulary, List<string> Merges) Read(byte[] json)
    {
        var (vocabulary, merges) = (new List<KeyValuePair<string, int>>(), new List<string>());
        var reader = new Utf8JsonReader(json);
        while (reader.Read())
        {
            if (reader.CurrentDepth != 2 || reader.TokenType != JsonTokenType.PropertyName)
            {
                continue;
            }

            if (reader.ValueTextEquals("vocab"u8))
            {
                reader.Read();
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var token = reader.GetString()!;
                    reader.Read();
                    vocabulary.Add(new(token, reader.GetInt32()));
                }
            }
            else if (reader.ValueTextEquals("merges"u8))
            {
                reader.Read();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    merges.Add(reader.TokenType == JsonTokenType.String ? reader.GetString()! : Pair(ref reader));
                }
            }
        }

        return (vocabulary, merges);
    }

    private static string Pair(ref Utf8JsonReader reader)
    {
        reader.Read();
        var left = reader.GetString();
        reader.Read();
        var pair = $"{left} {reader.GetString()}";
        reader.Read();
        return pair;
    }

    private static double[] Measure(string path, string name)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(TokenizerCost).Assembly.Location, "tokenizer", path, name]) { RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        return [.. process.StandardOutput.ReadToEnd().Split(' ').Select(figure => double.Parse(figure, CultureInfo.InvariantCulture))];
    }

    private static double Milliseconds(Action action)
    {
        var start = Environment.CpuUsage.TotalTime;
        action();
        return (Environment.CpuUsage.TotalTime - start).TotalMilliseconds;
    }
}
