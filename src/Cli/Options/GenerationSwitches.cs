using System.CommandLine;
using System.CommandLine.Parsing;

namespace MASQuant.Cli.Options;

/// <summary>How <c>run</c> generates: a way of choosing tokens, and switches that win over it.</summary>
internal sealed class GenerationSwitches
{
    private static readonly GenerationOptions Defaults = new();

    private readonly Option<Sampling> _sampling = new("--sampling")
    {
        HelpName = "WAY",
        Description = $"Always the most probable token, or as the model's generation_config.json recommends; switches given beside it win. Allowed: {string.Join(", ", Enum.GetNames<Sampling>())}. Default: {default(Sampling)}.",
        CustomParser = result =>
        {
            var word = result.Tokens[0].Value;
            if (Enum.GetNames<Sampling>().FirstOrDefault(name => name.Equals(word, StringComparison.OrdinalIgnoreCase)) is { } name)
            {
                return Enum.Parse<Sampling>(name);
            }

            result.AddError($"'{word}' is not allowed for '--sampling'. Allowed: {string.Join(", ", Enum.GetNames<Sampling>())}.");
            return default;
        },
        CompletionSources = { _ => Enum.GetNames<Sampling>() },
    };

    private readonly Option<int> _maxTokens = CliOptions.Number("--max-tokens", Defaults.MaxTokens, value => value >= 1, "1 or more", "The most tokens to generate.");
    private readonly Option<double> _temperature = CliOptions.Number("--temperature", Defaults.Temperature, value => value is >= 0 and <= 100, "0…100", "0 always takes the most probable token; above, tokens are sampled.");
    private readonly Option<double> _topP = CliOptions.Number("--top-p", Defaults.TopP, value => value is > 0 and <= 1, "above 0, at most 1", "Samples only from the most probable tokens that together reach this probability.");
    private readonly Option<int> _topK = CliOptions.Number("--top-k", Defaults.TopK, value => value >= 0, "0 (all) or more", "Samples only from this many most probable tokens.");
    private readonly Option<double> _minP = CliOptions.Number("--min-p", Defaults.MinP, value => value is >= 0 and <= 1, "0 (all)…1", "Samples only from tokens of this portion of the most probable one's probability.");
    private readonly Option<double> _repetition = CliOptions.Number("--repetition-penalty", Defaults.RepetitionPenalty, value => value is >= 0.001 and <= 1000, "0.001…1000", "Above 1 discourages tokens that prompt or answer hold.");
    private readonly Option<double> _presence = CliOptions.Number("--presence-penalty", Defaults.PresencePenalty, value => value is >= -2 and <= 2, "-2…2", "Above 0 discourages tokens that the answer holds.");
    private readonly Option<double> _frequency = CliOptions.Number("--frequency-penalty", Defaults.FrequencyPenalty, value => value is >= -2 and <= 2, "-2…2", "Above 0 discourages tokens of the answer, each time more.");
    private readonly Option<ulong> _seed = CliOptions.Number("--seed", Defaults.Seed, _ => true, "0…18446744073709551615", "The same seed gives the same answer.");
    private readonly Option<int> _draft = CliOptions.Number("--draft-tokens", Defaults.DraftTokens ?? 0, value => value is >= 0 and <= 64, "0 (none)…64", "The most tokens that are guessed ahead where an answer repeats its prompt or itself; changes its speed alone.", "8 when greedy, else 0");
    private readonly Option<bool> _think = new("--think") { Description = "The model thinks before it answers; what it thinks goes to standard error, and counts among --max-tokens." };
    private readonly Option<string[]> _stop = new("--stop") { HelpName = "TEXT", Description = "Ends the answer before this text; may be repeated.", CustomParser = Texts };

    /// <summary>The switches, in the order of the help page.</summary>
    public IEnumerable<Option> All => [_sampling, _maxTokens, _temperature, _topP, _topK, _minP, _repetition, _presence, _frequency, _seed, _draft, _think, _stop];

    /// <summary>What a command line says, over what a model recommends.</summary>
    public GenerationOptions Read(ParseResult parse, GenerationOptions recommended)
    {
        var options = parse.GetValue(_sampling) == Sampling.Recommended ? recommended : Defaults;
        return options with
        {
            MaxTokens = Given(_maxTokens, options.MaxTokens),
            Temperature = Given(_temperature, options.Temperature),
            TopP = Given(_topP, options.TopP),
            TopK = Given(_topK, options.TopK),
            MinP = Given(_minP, options.MinP),
            RepetitionPenalty = Given(_repetition, options.RepetitionPenalty),
            PresencePenalty = Given(_presence, options.PresencePenalty),
            FrequencyPenalty = Given(_frequency, options.FrequencyPenalty),
            Seed = Given(_seed, options.Seed),
            DraftTokens = parse.GetResult(_draft) is { Implicit: false } ? parse.GetValue(_draft) : options.DraftTokens,
            Thinks = parse.GetValue(_think),
            StopStrings = Given(_stop, [.. options.StopStrings]),
        };

        T Given<T>(Option<T> option, T otherwise) => parse.GetResult(option) is { Implicit: false } ? parse.GetValue(option)! : otherwise;
    }

    private static string[] Texts(ArgumentResult result)
    {
        string[] texts = [.. result.Tokens.Select(token => token.Value)];
        if (texts.Contains(""))
        {
            result.AddError("'--stop' needs a text of at least one character.");
        }

        return texts;
    }
}
