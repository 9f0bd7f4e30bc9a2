using System.CommandLine;
using System.CommandLine.Parsing;
using MASQuant.Diagnostics;
using MASQuant.Evaluation.Budgets;

namespace MASQuant.Cli.Options;

/// <summary>The options by which a command demands that its result keeps to budgets.</summary>
internal sealed class BudgetOptions
{
    private readonly (Budget Budget, Option<string> Option)[] _options = [.. BudgetTable.All.Select(budget => (budget, Create(budget)))];
    private readonly Option<string> _evaluation = CliOptions.Text("--evaluation", "FILE", "Conversations that end with the expected answer, on which --max-evaluation-loss is measured.");

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (var (_, option) in _options)
        {
            command.Add(option);
        }

        command.Add(_evaluation);
    }

    /// <summary>Whether a command line demands anything.</summary>
    public bool AnyIn(CommandResult parsed) => _options.Any(pair => parsed.GetResult(pair.Option) is { Implicit: false });

    /// <summary>What a command line demands.</summary>
    /// <exception cref="MASQuantException">MASQ0502 a value that is not allowed; MASQ0953 no conversations to measure on.</exception>
    public BudgetDemands Of(ParseResult parse)
    {
        var words = _options.Where(pair => parse.GetValue(pair.Option) is not null).ToDictionary(pair => pair.Budget.Name, pair => parse.GetValue(pair.Option)!);
        var (budgets, evaluation) = (BudgetTable.Read(words), parse.GetValue(_evaluation));
        if (budgets.MaxEvaluationLoss is not null && !File.Exists(evaluation))
        {
            throw new MASQuantException(DiagnosticCodes.EvaluationDataMissing, evaluation,
                evaluation is null
                    ? "--max-evaluation-loss needs conversations. Name a JSON Lines file of chats that end with the expected answer: --evaluation FILE."
                    : "There is no such file. Name a JSON Lines file of chats that end with the expected answer.");
        }

        return new BudgetDemands(budgets, evaluation);
    }

    private static Option<string> Create(Budget budget)
    {
        var option = CliOptions.Text(budget.Switch, "VALUE", $"{budget.Description} Allowed: {budget.Values}.");
        option.Validators.Add(parsed =>
        {
            var value = parsed.Tokens.Count > 0 ? parsed.Tokens[^1].Value : "";
            if (value.Length > 0 && budget.Apply(new ModelBudgets(), value) is null)
            {
                parsed.AddError($"'{value}' is not allowed for '{budget.Switch}'. Allowed: {budget.Values}.");
            }
        });
        return option;
    }
}
