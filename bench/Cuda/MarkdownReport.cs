using System.Text;

namespace MASQuant.Bench.Cuda;

/// <summary>The tables of docs/performance.md.</summary>
internal static class MarkdownReport
{
    public static string Of(Results results, BenchPlan plan, string machine, IReadOnlyList<Verdict> verdicts)
    {
        var text = new StringBuilder($"Measured on {machine}. M: tokens.\n");
        if (verdicts.Count > 0)
        {
            text.Append($"\n{Verdict.Heading}\n");
            foreach (var verdict in verdicts)
            {
                text.Append($"{verdict.Row}\n");
            }
        }

        var figures = results.Figures.Keys;
        var tokens = plan.Tokens.All;
        Table(text, "kernel, µs", [.. tokens.Select(m => $"M = {m}")],
            figures.Where(done => plan.Models.SelectMany(model => model.Linears).Any(linear => linear.Name == done.Shape)).Select(done => (done.Shape, done.Kernel)).Distinct()
                .Select(row => ($"{row.Shape}, {row.Kernel}", (string[])[.. tokens.Select(m => Number(results, new BenchCase(row.Kernel, row.Shape, m), 1))])));
        Table(text, "a layer's four products, µs", [.. tokens.Select(m => $"M = {m}")], LayerRows(results, plan));
        Table(text, "choice of a token, µs", [.. plan.Batches.Select(rows => $"sequences: {rows}")],
            ChoiceCases.Of(plan).Where(results.Figures.ContainsKey).Select(done => done.Kernel).Distinct()
                .Select(kernel => ($"{ChoiceCases.Shape(plan)}, {kernel}", (string[])[.. plan.Batches.Select(rows => Number(results, new BenchCase(kernel, ChoiceCases.Shape(plan), rows), 1))])));
        Table(text, "a whole layer, µs", [.. tokens.Select(m => $"M = {m}")],
            figures.Where(done => LayerCases.Of(plan).Contains(done)).Select(done => (done.Shape, done.Kernel)).Distinct()
                .Select(row => ($"{row.Shape}, {row.Kernel}", (string[])[.. tokens.Select(m => Number(results, new BenchCase(row.Kernel, row.Shape, m), 1))])));
        Table(text, "whole model", [$"prompt of {plan.Prompt}, ms", "peak, MiB", .. plan.Batches.SelectMany(batch => (string[])[$"decode of {batch}, ms", "peak, MiB"])], ModelRows(results, plan));
        return text.ToString();
    }

    private static IEnumerable<(string, string[])> LayerRows(Results results, BenchPlan plan)
        => from model in plan.Models
           from kernel in results.Figures.Keys.Where(done => done.Shape == model.GateUp.Name).Select(done => done.Kernel).Distinct()
           select ($"{model.Name}, {kernel}", plan.Tokens.All.Select(m => Text(model.Linears.Sum(linear => results.Find(kernel, linear.Name, m)), 1)).ToArray());

    private static IEnumerable<(string, string[])> ModelRows(Results results, BenchPlan plan)
        => from model in plan.Models
           from format in RandomWeights.Formats
           let cases = (BenchCase[])[new(ModelCases.Prefill(format.Name), model.Name, plan.Prompt), .. plan.Batches.Select(batch => new BenchCase(ModelCases.Decode(format.Name), model.Name, batch))]
           where cases.Any(results.Figures.ContainsKey)
           select ($"{model.Name}, {format.Name}", cases.SelectMany(done => (string[])[Number(results, done, 1000), Peak(results, done)]).ToArray());

    private static void Table(StringBuilder text, string title, string[] columns, IEnumerable<(string Name, string[] Cells)> rows)
    {
        var any = false;
        foreach (var (name, cells) in rows)
        {
            text.Append(any ? "" : $"\n| {title} | {string.Join(" | ", columns)} |\n|---|{string.Concat(columns.Select(_ => "---:|"))}\n");
            text.Append($"| {name} | {string.Join(" | ", cells)} |\n");
            any = true;
        }
    }

    private static string Number(Results results, BenchCase done, double divisor) => results.Figures.TryGetValue(done, out var figure) ? Text(figure.Microseconds / divisor, divisor) : "–";

    private static string Text(double value, double divisor) => double.IsNaN(value) ? "–" : value.ToString(divisor == 1 ? "F1" : "F2", System.Globalization.CultureInfo.InvariantCulture);

    private static string Peak(Results results, BenchCase done) => results.Figures.TryGetValue(done, out var figure) ? (figure.PeakBytes >> 20).ToString(System.Globalization.CultureInfo.InvariantCulture) : "–";
}
