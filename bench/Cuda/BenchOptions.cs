using System.Diagnostics.CodeAnalysis;
using MASQuant.Engine.Execution;

namespace MASQuant.Bench.Cuda;

/// <summary>What the command line asks for.</summary>
internal sealed record BenchOptions
{
    public const string Usage = """
        Checks every kernel on an NVIDIA GPU against the processor, then times kernels, layers and whole models of random weights.

        usage: MASQuant.Bench.Cuda [check | kernels | layers | models]... [--device cuda:N] [--csv FILE] [--markdown FILE] [--only TEXT] [--skip TEXT]

          check            checks, and times nothing
          kernels          times products, the preparation of tokens and the choice of the next, beside cuBLASLt where it is found (MASQUANT_CUBLASLT may name it)
          layers           times decoder layers
          models           times whole decoders, and tells their memory
                           (none of these words: all of them; what is timed is checked before)
          --device cuda:N  the GPU, from 0 (default: cuda:0)
          --csv FILE       writes the figures, also of a run that Ctrl-C ends
          --markdown FILE  writes them as the tables of docs/performance.md
          --only TEXT      with check alone: the checks whose names hold TEXT
          --skip TEXT      with check alone: the checks whose names do not
          --help           prints this

        exit code: 0 done, 1 a check or a case failed, 2 nothing was run: wrong words or no usable GPU, 130 ended by Ctrl-C
        """;

    private static readonly string[] Words = ["check", "kernels", "layers", "models"];

    /// <summary>Whether the usage is asked for.</summary>
    public bool Help { get; init; }

    /// <summary>What is timed; nothing when checks alone are asked for.</summary>
    public required IReadOnlySet<string> Timed { get; init; }

    /// <summary>The GPU.</summary>
    public string Device { get; init; } = "cuda:0";

    /// <summary>The file for the figures; null: none.</summary>
    public string? Csv { get; init; }

    /// <summary>The file for the tables; null: none.</summary>
    public string? Markdown { get; init; }

    /// <summary>What the names of checks must hold; null: anything.</summary>
    public string? Only { get; init; }

    /// <summary>What they must not; null: nothing.</summary>
    public string? Skip { get; init; }

    /// <summary>Whether a check is wanted.</summary>
    public bool Wants(string check) => (Only is null || check.Contains(Only, StringComparison.OrdinalIgnoreCase)) && (Skip is null || !check.Contains(Skip, StringComparison.OrdinalIgnoreCase));

    /// <summary>Reads a command line.</summary>
    /// <param name="words">The words.</param>
    /// <param name="options">What they ask for.</param>
    /// <param name="error">What is wrong with them.</param>
    public static bool TryParse(IReadOnlyList<string> words, [NotNullWhen(true)] out BenchOptions? options, [NotNullWhen(false)] out string? error)
    {
        var (values, chosen) = (new Dictionary<string, string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        (options, error) = (null, null);
        for (var i = 0; i < words.Count; i++)
        {
            var word = words[i];
            if (word is "--help" or "-h")
            {
                options = new BenchOptions { Help = true, Timed = chosen };
                return true;
            }

            if (word is "--device" or "--csv" or "--markdown" or "--only" or "--skip")
            {
                if (i + 1 == words.Count || words[i + 1].StartsWith("--", StringComparison.Ordinal) || words[i + 1].Length == 0)
                {
                    error = $"{word} needs a value.";
                    return false;
                }

                if (!values.TryAdd(word, words[++i]))
                {
                    error = $"{word} is given twice.";
                    return false;
                }
            }
            else if (!Words.Contains(word))
            {
                error = $"'{word}' is not known.";
                return false;
            }
            else
            {
                chosen.Add(word);
            }
        }

        var device = values.GetValueOrDefault("--device", "cuda:0");
        if (!DeviceChoice.TryParse(device, out var choice) || choice.Device != "cuda" || choice.MayFallBack)
        {
            error = $"--device {device} names no GPU; cuda:0 is the first.";
            return false;
        }

        var checksAlone = chosen.SetEquals([Words[0]]);
        if (values.Keys.FirstOrDefault(option => checksAlone ? option is "--csv" or "--markdown" : option is "--only" or "--skip") is { } other)
        {
            error = checksAlone ? $"{other} takes figures, of which check has none; what is timed is checked before." : $"{other} goes with check alone: what is timed is checked before, whole.";
            return false;
        }

        var timed = chosen.Count == 0 ? Words : [.. chosen];
        options = new BenchOptions
        {
            Timed = timed.Where(word => word != Words[0]).ToHashSet(StringComparer.Ordinal),
            Device = device,
            Csv = values.GetValueOrDefault("--csv"),
            Markdown = values.GetValueOrDefault("--markdown"),
            Only = values.GetValueOrDefault("--only"),
            Skip = values.GetValueOrDefault("--skip"),
        };
        return true;
    }
}
