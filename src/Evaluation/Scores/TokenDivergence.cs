namespace MASQuant.Evaluation.Scores;

/// <summary>How far a model's next-token distributions lie from a reference's, summed over tokens.</summary>
public sealed class TokenDivergence
{
    /// <summary>Σ KL(p‖q), in nats.</summary>
    public double KullbackLeibler { get; private set; }

    /// <summary>Tokens for which both models rank the same token first.</summary>
    public long Agreements { get; private set; }

    /// <summary>−Σ log q(token that follows), in nats.</summary>
    public double NegativeLogLikelihood { get; private set; }

    /// <summary>The number of tokens.</summary>
    public long Tokens { get; private set; }

    /// <summary>Adds one position.</summary>
    /// <param name="reference">Logits of the reference, V values.</param>
    /// <param name="candidate">Logits of the candidate, V values.</param>
    /// <param name="next">The token that follows.</param>
    public void Add(ReadOnlySpan<float> reference, ReadOnlySpan<float> candidate, int next)
    {
        var (p, q) = (LogNormalizer(reference), LogNormalizer(candidate));
        var divergence = 0.0;
        var (first, other) = (0, 0);
        for (var i = 0; i < reference.Length; i++)
        {
            var logP = reference[i] - p;
            divergence += Elementary.Exp(logP) * (logP - (candidate[i] - q));
            first = reference[i] > reference[first] ? i : first;
            other = candidate[i] > candidate[other] ? i : other;
        }

        KullbackLeibler += divergence;
        NegativeLogLikelihood -= candidate[next] - q;
        Agreements += first == other ? 1 : 0;
        Tokens++;
    }

    /// <summary>Adds what another accumulator has summed.</summary>
    public void Add(TokenDivergence other)
    {
        KullbackLeibler += other.KullbackLeibler;
        Agreements += other.Agreements;
        NegativeLogLikelihood += other.NegativeLogLikelihood;
        Tokens += other.Tokens;
    }

    // log Σ exp(logit).
    private static double LogNormalizer(ReadOnlySpan<float> logits)
    {
        var largest = float.NegativeInfinity;
        foreach (var logit in logits)
        {
            largest = Math.Max(largest, logit);
        }

        var sum = 0.0;
        foreach (var logit in logits)
        {
            sum += Elementary.Exp(logit - largest);
        }

        return largest + Elementary.Log(sum);
    }
}
