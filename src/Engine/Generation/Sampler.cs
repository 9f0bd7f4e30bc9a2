using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using MASQuant.Diagnostics;
using MASQuant.Engine.Constraints;

namespace MASQuant.Engine.Generation;

/// <summary>
/// Chooses the next token. Penalties come first, then what an answer is held to. Greedy takes the largest logit, the lowest id of equals. Sampling divides the logits by the temperature, keeps the k largest
/// and all that equal the last of them, of those the tokens that the more probable ones do not bring to p (of equals, the lower ids), of those the ones that reach minimum p
/// of the largest's probability, and draws from the softmax of what is left: the steps and the order of the transformers library. <see cref="TokenDraw"/> and <see cref="TokenWeights"/> say how, to the bit: a device draws the same token. Not for concurrent use.
/// </summary>
public sealed class Sampler
{
    private readonly float _scale;
    private readonly ulong _topP;
    private readonly int _topK;
    private readonly ulong _minWeight;
    private readonly RandomSequence _random;
    private readonly RankWalk _walk = new();
    private uint[] _ranks = [];
    private ulong[] _weights = [];

    /// <summary>Starts the random sequence of <paramref name="options"/>, which are validated.</summary>
    /// <param name="options">How tokens are chosen.</param>
    /// <param name="constraint">What the answer is held to; null: nothing.</param>
    public Sampler(GenerationOptions options, TokenConstraint? constraint = null)
    {
        options.Validate();
        _scale = options.Temperature == 0 ? 0 : (float)Math.Min(1 / options.Temperature, float.MaxValue);
        _topP = options.TopP < 1 ? (ulong)Math.Ceiling(Math.ScaleB(options.TopP, 64)) : 0;
        _topK = options.TopK;
        _minWeight = (ulong)Math.Ceiling(Math.ScaleB(options.MinP, TokenWeights.Exponent));
        (Penalties, Constraint) = (TokenPenalties.Of(options), constraint);
        _random = new RandomSequence(options.Seed);
    }

    /// <summary>Whether the largest logit alone decides.</summary>
    public bool IsGreedy => _scale == 0;

    /// <summary>What lowers the logits of tokens that have been; null: nothing does.</summary>
    public TokenPenalties? Penalties { get; }

    /// <summary>What takes away the logits of tokens that may not follow; null: nothing does.</summary>
    public TokenConstraint? Constraint { get; }

    /// <summary>Whether the tokens so far decide too: a device, which knows but the last, cannot choose then.</summary>
    public bool NeedsLogits => Penalties is not null || Constraint is not null;

    /// <summary>How the next token is drawn; takes one number of the random sequence, none where the largest logit decides.</summary>
    public TokenDraw NextDraw() => new(IsGreedy ? 0 : _random.Next(), _topP, _scale, _topK, _minWeight);

    /// <summary>The id of the next token, which penalties and constraint count from here on; allocates nothing after the first call.</summary>
    /// <param name="logits">[V], finite or −∞; NaN counts as −∞.</param>
    /// <exception cref="MASQuantException"><see cref="DiagnosticCodes.LogitsNotFinite"/></exception>
    public int Next(ReadOnlySpan<float> logits)
    {
        logits = Penalties is null ? logits : Penalties.Apply(logits);
        var token = Next(Constraint is null ? logits : Constraint.Apply(logits), NextDraw());
        Penalties?.Add(token);
        Constraint?.Add(token);
        return token;
    }

    /// <summary>The token of one draw; the sampler's own options and penalties do not count.</summary>
    /// <inheritdoc cref="Next(ReadOnlySpan{float})"/>
    public int Next(ReadOnlySpan<float> logits, in TokenDraw draw)
    {
        var largest = Largest(logits);
        RequireFinite(largest, logits.Length);
        return draw.Scale == 0 ? logits.IndexOf(largest) : Draw(logits, largest, draw);
    }

    /// <summary>The token of the largest logit, the lowest id of equals; 0 where none is a number.</summary>
    internal static int Likeliest(ReadOnlySpan<float> logits) => Math.Max(0, logits.IndexOf(Largest(logits)));

    /// <summary>Refuses logits whose largest is no finite number.</summary>
    /// <exception cref="MASQuantException"><see cref="DiagnosticCodes.LogitsNotFinite"/></exception>
    public static void RequireFinite(float largest, int count)
    {
        if (!float.IsFinite(largest))
        {
            throw new MASQuantException(DiagnosticCodes.LogitsNotFinite, null,
                $"None of the {count} logits is a finite number. Check that the checkpoint gives sensible answers in full precision, and download or quantize it again.");
        }
    }

    private int Draw(ReadOnlySpan<float> logits, float largest, in TokenDraw draw)
    {
        if (_ranks.Length < logits.Length)
        {
            (_ranks, _weights) = (new uint[logits.Length], new ulong[logits.Length]);
        }

        var ranks = _ranks.AsSpan(0, logits.Length);
        var weights = _weights.AsSpan(0, logits.Length);
        TokenWeights.Fill(logits, largest, draw.Scale, ranks, weights);
        var last = TokenWeights.LastRank;
        if (draw.TopK > 0 && draw.TopK < logits.Length)
        {
            (last, _) = _walk.Find(ranks, [], (ulong)draw.TopK);
        }

        if (draw.TopP != 0)
        {
            (last, var missing) = _walk.Find(ranks, weights, draw.Wanted(Total(ranks, weights, last)));
            DropTies(ranks, weights, last, missing);
        }

        if (draw.MinWeight != 0)
        {
            foreach (ref var weight in weights)
            {
                weight = weight < draw.MinWeight ? 0 : weight;
            }
        }

        var target = draw.Target(Total(ranks, weights, last));
        for (var id = 0; ; id++)
        {
            var weight = ranks[id] <= last ? weights[id] : 0;
            if (weight >= target)
            {
                return id;
            }

            target -= weight;
        }
    }

    // Of the tokens of one rank those with the lowest ids are kept, as many as give what is missing; the others weigh nothing from here on.
    private static void DropTies(ReadOnlySpan<uint> ranks, Span<ulong> weights, uint rank, ulong missing)
    {
        for (var id = 0; id < ranks.Length; id++)
        {
            if (ranks[id] == rank)
            {
                weights[id] = missing == 0 ? 0 : weights[id];
                missing -= Math.Min(missing, weights[id]);
            }
        }
    }

    private static ulong Total(ReadOnlySpan<uint> ranks, ReadOnlySpan<ulong> weights, uint last)
    {
        var total = 0ul;
        for (var id = 0; id < ranks.Length; id++)
        {
            total += ranks[id] <= last ? weights[id] : 0;
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
