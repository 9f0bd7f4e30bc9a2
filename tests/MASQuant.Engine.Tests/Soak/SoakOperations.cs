using System.Collections.Concurrent;
using MASQuant.Diagnostics;
using MASQuant.Runtime;

namespace MASQuant.Engine.Tests.Soak;

/// <summary>What the threads of a soak do. An operation's number decides what it does; whatever is not as it should be is an exception.</summary>
internal sealed class SoakOperations(SoakModel model, SoakPrompts prompts, string artifact, string broken)
{
    private readonly ConcurrentDictionary<string, int> _counts = new();

    /// <summary>How often each kind was done, and how many of them a reload has ended.</summary>
    public IReadOnlyDictionary<string, int> Counts => _counts;

    /// <summary>Does operation <paramref name="number"/>.</summary>
    public void Run(int number)
    {
        var random = new Random(number);
        var prompt = random.Next(SoakPrompts.Count);
        ulong? seed = random.Next(2) == 0 ? null : (ulong)random.Next(SoakPrompts.Seeds);
        (string Kind, Func<bool> Do) operation = random.Next(100) switch
        {
            < 25 => ("answers", () => model.TryUse(m => Same(string.Concat(m.Generate(SoakPrompts.Of(prompt), SoakPrompts.Options(seed))), prompt, seed))),
            < 45 => ("streams", () => model.TryUse(m => Same(string.Concat(Read(m.GenerateAsync(SoakPrompts.Of(prompt), SoakPrompts.Options(seed)), int.MaxValue)), prompt, seed))),
            < 65 => ("batches", () => model.TryUse(m => Batch(m, random, seed))),
            < 78 => ("cancelled", () => model.TryUse(m => Cancel(m, prompt, seed, random.Next(1, 6)))),
            < 84 => ("left", () => model.TryUse(m => Begin(string.Concat(Read(m.GenerateAsync(SoakPrompts.Of(prompt), SoakPrompts.Options(seed)), random.Next(1, 4))), prompt, seed))),
            < 89 => ("refused", () => model.TryUse(m => Refuse(m, random.Next(3)))),
            < 92 => ("failed loads", FailToLoad),
            < 96 => ("disposed in use", () => DisposeInUse(prompt, random.Next(1, 10))),
            _ => ("reloads", Reload),
        };
        Count(operation.Do() ? operation.Kind : "ended by a reload");
    }

    private void Count(string kind) => _counts.AddOrUpdate(kind, 1, (_, count) => count + 1);

    private bool Reload()
    {
        model.Reload();
        return true;
    }

    // One of the prompts fails, and alone.
    private void Batch(MultimodalModel m, Random random, ulong? seed)
    {
        int[] asked = [.. Enumerable.Range(0, random.Next(2, 6)).Select(_ => random.Next(SoakPrompts.Count))];
        var failing = random.Next(2 * asked.Length);
        var answers = new string[asked.Length];
        foreach (var piece in Read(m.GenerateBatchAsync(asked.Select((index, i) => i == failing ? new Prompt().Image(new byte[100]) : SoakPrompts.Of(index)), SoakPrompts.Options(seed)), int.MaxValue))
        {
            answers[piece.Prompt] += piece.Text;
            Require((piece.Error is not null) == (piece.Prompt == failing), $"Prompt {piece.Prompt}: {piece.Error?.Message ?? "no error"}");
        }

        for (var i = 0; i < asked.Length; i++)
        {
            if (i != failing)
            {
                Same(answers[i], asked[i], seed + (ulong)i);
            }
        }
    }

    private void Cancel(MultimodalModel m, int prompt, ulong? seed, int tokens)
    {
        using var cancellation = new CancellationTokenSource();
        var answer = "";
        try
        {
            foreach (var piece in m.GeneratePieces(SoakPrompts.Of(prompt), SoakPrompts.Options(seed), cancellation.Token))
            {
                answer += piece.Text;
                if (--tokens == 0)
                {
                    cancellation.Cancel();
                }
            }

            Same(answer, prompt, seed);
        }
        catch (OperationCanceledException error) when (error.CancellationToken == cancellation.Token)
        {
            Begin(answer, prompt, seed);
        }
    }

    private static void Refuse(MultimodalModel m, int kind)
    {
        (Prompt prompt, string code) = kind switch
        {
            0 => (new Prompt().Image("missing.png"), DiagnosticCodes.FileNotReadable),
            1 => (new Prompt().Text(string.Concat(Enumerable.Repeat("many words ", 20_000))), DiagnosticCodes.SequenceTooLong),
            _ => (new Prompt().Audio(new byte[200]), DiagnosticCodes.AudioNotSupported),
        };
        try
        {
            m.Generate(prompt).Count();
            Require(false, $"A prompt was not refused with {code}.");
        }
        catch (MASQuantException error)
        {
            Require(error.Code == code, error.Message);
        }
    }

    private bool FailToLoad()
    {
        try
        {
            SoakModel.Load(broken).Dispose();
            Require(false, "A broken artifact was opened.");
        }
        catch (MASQuantException)
        {
        }

        return true;
    }

    // A model of its own, disposed while another thread enumerates.
    private bool DisposeInUse(int prompt, int tokens)
    {
        var own = SoakModel.Load(artifact);
        using var reached = new ManualResetEventSlim();
        var use = Task.Factory.StartNew(() =>
        {
            try
            {
                foreach (var piece in own.GeneratePieces(SoakPrompts.Of(prompt), SoakPrompts.Options(null) with { MaxTokens = 2000 }))
                {
                    if (--tokens == 0)
                    {
                        reached.Set();
                    }
                }
            }
            catch (ObjectDisposedException)
            {
            }

            reached.Set();
        }, TaskCreationOptions.LongRunning);
        reached.Wait();
        own.Dispose();
        use.Wait();
        return true;
    }

    private void Same(string answer, int prompt, ulong? seed)
        => Require(answer == prompts.Answer(prompt, seed), $"Prompt {prompt}, seed {seed}: '{answer}', alone '{prompts.Answer(prompt, seed)}'");

    private void Begin(string answer, int prompt, ulong? seed)
        => Require(prompts.Answer(prompt, seed).StartsWith(answer, StringComparison.Ordinal), $"Prompt {prompt}, seed {seed}: '{answer}' begins none, alone '{prompts.Answer(prompt, seed)}'");

    // Up to so many pieces; the enumeration is then disposed.
    private static List<T> Read<T>(IAsyncEnumerable<T> pieces, int most)
    {
        return ReadAsync().GetAwaiter().GetResult();

        async Task<List<T>> ReadAsync()
        {
            var read = new List<T>();
            await foreach (var piece in pieces)
            {
                read.Add(piece);
                if (read.Count == most)
                {
                    break;
                }
            }

            return read;
        }
    }

    private static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new InvalidOperationException(message);
        }
    }
}
