namespace MASQuant.Engine.Generation;

/// <summary>
/// Lowers the logits of tokens that have been. First of each token of prompt and answer, once: a positive logit is divided by the repetition penalty, a negative one multiplied
/// (Keskar et al., 2019, as transformers has it). Then of each token of the answer: frequency penalty times its count, and presence penalty, are subtracted. In FP32. For one sequence.
/// </summary>
public sealed class TokenPenalties
{
    private readonly float _repetition;
    private readonly float _presence;
    private readonly float _frequency;

    // By id: 0 where a token has not been, else 1 and how often the answer holds it.
    private int[] _seen = [];
    private float[] _logits = [];

    private TokenPenalties(GenerationOptions options)
        => (_repetition, _presence, _frequency) = ((float)options.RepetitionPenalty, (float)options.PresencePenalty, (float)options.FrequencyPenalty);

    /// <summary>The penalties of options; null where they change nothing.</summary>
    public static TokenPenalties? Of(GenerationOptions options)
        => options is { RepetitionPenalty: 1, PresencePenalty: 0, FrequencyPenalty: 0 } ? null : new TokenPenalties(options);

    /// <summary>Counts the tokens of the prompt.</summary>
    public void Begin(ReadOnlySpan<int> prompt)
    {
        foreach (var id in prompt)
        {
            Reserve(id + 1);
            _seen[id] = Math.Max(1, _seen[id]);
        }
    }

    /// <summary>Counts a token of the answer.</summary>
    public void Add(int id)
    {
        Reserve(id + 1);
        _seen[id] = Math.Max(1, _seen[id]) + 1;
    }

    /// <summary>Logits with the penalties, valid until the next call; allocates nothing after the first.</summary>
    /// <param name="logits">[V].</param>
    public ReadOnlySpan<float> Apply(ReadOnlySpan<float> logits)
    {
        Reserve(logits.Length);
        if (_logits.Length < logits.Length)
        {
            _logits = LargeArray.Zeros<float>(logits.Length);
        }

        var result = _logits.AsSpan(0, logits.Length);
        logits.CopyTo(result);
        var seen = _seen.AsSpan(0, logits.Length);
        for (var id = 0; id < seen.Length; id++)
        {
            var next = seen[id..].IndexOfAnyExcept(0);
            if (next < 0)
            {
                break;
            }

            id += next;
            result[id] = Penalized(result[id], seen[id] - 1);
        }

        return result;
    }

    private float Penalized(float logit, int count)
    {
        logit = logit < 0 ? logit * _repetition : logit / _repetition;
        return count == 0 ? logit : logit - (_frequency * count) - _presence;
    }

    private void Reserve(int length)
    {
        if (_seen.Length < length)
        {
            Array.Resize(ref _seen, Math.Max(length, 2 * _seen.Length));
        }
    }
}
