using System.Text.Json.Nodes;
using MASQuant.Cli;
using MASQuant.Cli.Output;
using MASQuant.Evaluation.Reports;
using MASQuant.Evaluation.Reports.Charts;
using MASQuant.Evaluation.Scores;
using MASQuant.Tests;

namespace MASQuant.Server.Tests;

/// <summary>Reports in a browser, as wide as a phone and as a desk: here, where the browser is.</summary>
public class ReportPageTests(Chromium chromium) : IClassFixture<Chromium>
{
    private const string LongName = "the_layer_whose_author_wanted_its_name_to_say.everything_that_can_be_said_of_it";

    // A text outside its drawing or on top of another, by half a pixel; a page that is to be pushed sideways; a mark that says nothing to who points at it.
    private const string Faults = """
        () => {
          document.querySelectorAll('details').forEach(folded => folded.open = true);
          const faults = [];
          if (document.documentElement.scrollWidth > innerWidth) faults.push(`The page is ${document.documentElement.scrollWidth} wide.`);
          for (const drawing of document.querySelectorAll('svg')) {
            const frame = drawing.getBoundingClientRect();
            const texts = [...drawing.querySelectorAll('text')].map(text => ({ text: text.textContent, box: text.getBoundingClientRect() }));
            texts.forEach(({ text, box }, i) => {
              if (box.left < frame.left - 0.5 || box.right > frame.right + 0.5 || box.top < frame.top - 0.5 || box.bottom > frame.bottom + 0.5) faults.push(`'${text}' leaves '${drawing.querySelector('title').textContent}'.`);
              for (const other of texts.slice(i + 1)) {
                const across = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
                const down = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
                if (across > 0.5 && down > 0.5) faults.push(`'${text}' and '${other.text}' overlap in '${drawing.querySelector('title').textContent}'.`);
              }
            });
            for (const mark of drawing.querySelectorAll('.mark, .bar')) {
              if (!mark.closest('.key') && !/[0-9]/.test(mark.querySelector('title')?.textContent ?? '')) faults.push('A mark has no value.');
            }
          }
          return [...new Set(faults)];
        }
        """;

    // What can be seen of a table without scrolling it.
    private const string Headings = """
        id => [...document.querySelectorAll(`#${id} thead th`)].filter(heading => heading.getBoundingClientRect().right <= innerWidth).map(heading => heading.textContent)
        """;

    [SkippableTheory]
    [InlineData(360)]
    [InlineData(1200)]
    public async Task The_report_of_omni_tiny(int width)
    {
        using var folder = new TemporaryDirectory();
        var page = Quantized(folder);
        var (faults, headings) = await LookAt(page, width, "layers");
        Assert.Empty(faults);
        Assert.Equal(["layer", "SQNR text"], headings[..2]);

        // Names of 80 letters, as a manifest may have them.
        var manifest = folder.File("out/Tiny.masquant.json");
        var json = JsonNode.Parse(File.ReadAllText(manifest))!;
        foreach (var linear in json["layers"]!.AsArray().SelectMany(layer => layer!["linears"]!.AsArray()).Where(linear => (string)linear!["name"]! == "mlp.down_proj"))
        {
            linear!["name"] = LongName;
        }

        File.WriteAllText(manifest, json.ToJsonString());
        QuantizationReport.Write(manifest, folder.File("long.html"));
        Assert.Contains(LongName, File.ReadAllText(folder.File("long.html")), StringComparison.Ordinal);
        Assert.Empty((await LookAt(folder.File("long.html"), width, "layers")).Faults);
    }

    [SkippableTheory]
    [InlineData(360, "")]
    [InlineData(360, LongName)]
    [InlineData(1200, LongName)]
    public async Task Five_methods_at_five_schemes(int width, string suffix)
    {
        using var folder = new TemporaryDirectory();
        string[] labels = ["full precision", .. from scheme in (string[])["W8A8", "W4A8", "W4A6", "W4A4", "W4A16"] from method in (string[])["RTN", "SmoothQuant", "MAS", "Paper", "MASQuant"] select $"{method} {scheme} {suffix}".TrimEnd()];
        EvaluationResult[] results = [.. labels.Select((label, i) => Result(label, i * 0.0007))];
        var lines = new Chart("Over Rank", "Every model over the rank.", new ChartAxis("Rank"), new ChartAxis("KL, nats per token") { Logarithmic = true }, [.. labels.Select((label, i) => new ChartSeries(label, ChartStyle.Of(i), [new(0, 0.002 + (i * 0.0001)), new(8, 0.001 + (i * 0.0001)) { Label = label }]))]);
        ReportSection[] sections = [.. EvaluationSections.Of(labels, results, ChartStyle.Of), new("sweep", "Over Rank", html => ChartWriter.Write(html, lines))];
        File.WriteAllText(folder.File("page.html"), ReportPage.Render("Comparison " + suffix, "25 models", EvaluationVerdict.Of(labels, results), sections));
        Assert.Empty((await LookAt(folder.File("page.html"), width, "sweep")).Faults);
    }

    private static string Quantized(TemporaryDirectory folder)
    {
        using var error = new StringWriter();
        var page = folder.File("page.html");
        string[] command = ["quantize", RepositoryFiles.OmniTiny, "--effort", "Fast", "--rank", "4", "--scheme", "W4A8", "--calibration", RepositoryFiles.Data("calibration.jsonl"), "--output", folder.File("out"), "--name", "Tiny", "--cache", "none", "--report", page, "--min-sqnr-text", "1"];
        Assert.True(CommandLine.Run(command, new CommandConsole(TextWriter.Null, error, errorIsTerminal: false), default) == 0, error.ToString());
        return page;
    }

    private static EvaluationResult Result(string label, double divergence)
    {
        Figure Figure(double value) => new(new Estimate(value, value / 2, value * 2), new Estimate(1, 1, 1), new Estimate(0, 0, 0));
        return new EvaluationResult(label, [new TaskResult("ocr", 20, 100, Figure(divergence), Figure(0.9), Figure(1), Figure(1), Figure(1))],
            [new ModalityResult(Modality.Text, 20, 100, Figure(divergence), Figure(1), [20, 18]), new ModalityResult(Modality.Vision, 20, 100, Figure(divergence), Figure(1), [15, 12])]);
    }

    private async Task<(string[] Faults, string[] Headings)> LookAt(string file, int width, string table)
    {
        await using var visit = await chromium.OpenAsync(new Uri(file), width);
        return (await visit.Page.EvaluateAsync<string[]>(Faults), await visit.Page.EvaluateAsync<string[]>(Headings, table));
    }
}
