using System.CommandLine;
using MASQuant.Quantization.Options;

namespace MASQuant.Cli.Options;

/// <summary>The options by which one of several machines takes its share of a command's work.</summary>
internal static class ShareOptions
{
    /// <summary><c>--blocks</c>: a range of decoder blocks, or one of N nearly equal ones.</summary>
    public static Option<BlockChoice?> Blocks(string description) => new("--blocks")
    {
        HelpName = "BLOCKS",
        Description = $"{description} Allowed: {BlockChoice.Allowed}.",
        CustomParser = result =>
        {
            if (!BlockChoice.TryParse(result.Tokens[0].Value, out var choice))
            {
                result.AddError($"'{result.Tokens[0].Value}' is not allowed for '--blocks'. Allowed: {BlockChoice.Allowed}.");
            }

            return choice;
        },
    };

    /// <summary><c>--point</c>: one of N nearly equal shares of a command's points.</summary>
    public static Option<Share?> Point(string description) => new("--point")
    {
        HelpName = "I/N",
        Description = $"{description} Allowed: {Share.Allowed}.",
        CustomParser = result =>
        {
            if (Share.TryParse(result.Tokens[0].Value, out var share))
            {
                return share;
            }

            result.AddError($"'{result.Tokens[0].Value}' is not allowed for '--point'. Allowed: {Share.Allowed}.");
            return null;
        },
    };
}
