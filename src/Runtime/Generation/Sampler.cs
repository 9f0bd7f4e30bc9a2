using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using MASQuant.Diagnostics;
using MASQuant.Layers;

namespace MASQuant.Generation;

/// <summary>
/// Chooses the next token. Greedy takes the largest logit, the lowest id of equals. Sampling divides the logits by the temperature, keeps the top k,
/// of those the top p, and draws from the softmax of what is left: the steps and the order of the transformers library. Not for concurrent use.
/// </summary>
internal sealed class Sampler
{
    private readonly float _temperature;
    private readonly double _topP;
    private readonly int _topK;
    private readonly RandomSequence _random;
    private float[] _weights = [];
    private float[] _keys = [];
    private int[] _ids = [];

    /// <summary>Starts the random sequence of <paramref name="options"/>, which are validated.</summary>
    public Sampler(GenerationOptions options)
    {
        options.Validate();
        _temperature = (float)options.Temperature;
        _topP = options.TopP;
        _topK = options.TopK;
        _random = new RandomSequence(options.Seed);
    }

    /// <summary>Whether the largest logit alone decides.</summary>
    public bool IsGreedy => _temperature == 0;

    /// <summary>The id of the next token; allocates nothing after the first call.</summary>
    /// <param name="logits">[V], finite or −∞; NaN counts as −∞.</param>
    /// <exception cref="MasQuantException"><see cref="DiagnosticCodes.LogitsNotFinite"/></exception>
    public int Next(ReadOnlySpan<float> logits)
    {
        var largest = Largest(logits);
        RequireFinite(largest, logits.Length);
        return IsGreedy ? logits.IndexOf(largest) : Sample(logits, largest);
    }

    /// <summary>Refuses logits whose largest is no finite number.</summary>
    /// <exception cref="MasQuantException"><see cref="DiagnosticCodes.LogitsNotFinite"/></exception>
    public static void RequireFinite(float largest, int count)
    {
        if (!float.IsFinite(largest))
        {
            throw new MasQuantException(DiagnosticCodes.LogitsNotFinite, null,
                $"None of the {count} logits is a finite number. Check that the checkpoint gives sensible answers in full precision, and download or quantize it again.");
        }
    }

    private int Sample(ReadOnlySpan<float> logits, float largest)
    {
        Weigh(logits, largest);
        var count = 0;
        var total = 0.0;
        for (var id = 0; id < logits.Length; id++)
        {
            if (_weights[id] > 0)
            {
                (_ids[count], _keys[count], count) = (id, -logits[id], count + 1);
                total += _weights[id];
            }
        }

        if (_topK > 0 && _topK < count)
        {
            (count, total) = KeepTopK(count);
        }

        if (_topP < 1)
        {
            (count, total) = KeepTopP(count, total);
        }

        return Draw(count, total);
    }

    // exp((logit − largest) / temperature) per id: the softmax but for its denominator.
    private void Weigh(ReadOnlySpan<float> logits, float largest)
    {
        if (_ids.Length < logits.Length)
        {
            (_keys, _ids) = (new float[logits.Length], new int[logits.Length]);
            _weights = new float[logits.Length + Vector512<float>.Count - 1];
        }

        for (var id = 0; id < logits.Length; id++)
        {
            _weights[id] = (logits[id] - largest) / _temperature;
        }

        for (var start = 0; start < logits.Length; start += Vector512<float>.Count)
        {
            var lanes = _weights.AsSpan(start);
            Exponential.Of(Vector512.Create<float>(lanes)).CopyTo(lanes);
        }
    }

    private (int Count, double Total) KeepTopK(int count)
    {
        Sort(count);
        var kept = _topK;
        while (kept < count && _keys[kept] == _keys[_topK - 1])
        {
            kept++;
        }

        return (kept, Total(kept));
    }

    private (int Count, double Total) KeepTopP(int count, double total)
    {
        // Tokens below (1 − p)/n of the total make up less than 1 − p together, so none is among the top p: no need to sort them.
        var negligible = (1 - _topP) / count * total;
        var candidates = 0;
        for (var i = 0; i < count; i++)
        {
            if (_weights[_ids[i]] >= negligible)
            {
                (_ids[candidates], _keys[candidates], candidates) = (_ids[i], _keys[i], candidates + 1);
            }
        }

        Sort(candidates);

        // A token stays while the more probable ones do not reach p.
        var kept = 0;
        var sum = 0.0;
        while (kept < candidates && sum < _topP * total)
        {
            sum += _weights[_ids[kept++]];
        }

        return (kept, sum);
    }

    private int Draw(int count, double total)
    {
        var target = _random.NextUnit() * total;
        var sum = 0.0;
        for (var i = 0; i < count; i++)
        {
            sum += _weights[_ids[i]];
            if (target < sum)
            {
                return _ids[i];
            }
        }

        // Rounding alone leads here.
        return _ids[count - 1];
    }

    // By falling logit, then by rising id.
    private void Sort(int count)
    {
        _keys.AsSpan(0, count).Sort(_ids.AsSpan(0, count));
        for (var start = 0; start < count;)
        {
            var end = start + 1;
            while (end < count && _keys[end] == _keys[start])
            {
                end++;
            }

            if (end - start > 1)
            {
                _ids.AsSpan(start, end - start).Sort();
            }

            start = end;
        }
    }

    private double Total(int count)
    {
        var total = 0.0;
        for (var i = 0; i < count; i++)
        {
            total += _weights[_ids[i]];
        }

        return total;
    }

    private static float Largest(ReadOnlySpan<float> logits)
    {
        var vectors = MemoryMarshal.Cast<float, Vector512<float>>(logits);
        var largest = Vector512.Create(float.NegativeInfinity);
        foreach (var vector in vectors)
        {
            largest = Vector512.MaxNumber(largest, vector);
        }

        var result = float.NegativeInfinity;
        for (var lane = 0; lane < Vector512<float>.Count; lane++)
        {
            result = float.MaxNumber(result, largest[lane]);
        }

        foreach (var logit in logits[(vectors.Length * Vector512<float>.Count)..])
        {
            result = float.MaxNumber(result, logit);
        }

        return result;
    }
}
