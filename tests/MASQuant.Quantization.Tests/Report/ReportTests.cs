using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using MASQuant.Evaluation.Budgets;
using MASQuant.Evaluation.Reports;
using MASQuant.Evaluation.Reports.Charts;
using MASQuant.Formats.Artifacts;
using MASQuant.Quantization.Options;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Report;

public class ReportTests
{
    private const string Hostile = "</title></style></svg><script>alert(1)</script><img src=x onerror='alert(2)'>\"&\0";
    private static readonly byte[] Png = File.ReadAllBytes(RepositoryFiles.Data("media/calib-ocr-000.png"));
    private static readonly byte[] Wav = File.ReadAllBytes(RepositoryFiles.Data("media/eval-asr-000.wav"));

    [Fact]
    public void The_page_of_a_model()
    {
        var page = Parse(QuantizationReport.Render(SampleReport.Model()));
        Snapshot.Verify(Outline(page));
    }

    [Fact]
    public void The_page_of_an_evaluation()
        => Snapshot.Verify(Outline(Parse(Evaluation("text", new ImagePart(MediaSource.Memory(Png, "a.png")), new AudioPart(MediaSource.Memory(Wav, "a.wav"))))));

    [Fact]
    public void A_page_loads_and_runs_nothing()
    {
        foreach (var text in (string[])[QuantizationReport.Render(SampleReport.Model()), Evaluation("text", new ImagePart(MediaSource.Memory(Png, "a.png")), new AudioPart(MediaSource.Memory(Wav, "a.wav")))])
        {
            var page = Parse(text);
            Assert.DoesNotContain(page.Descendants(), element => element.Name.LocalName is "script" or "link" or "iframe" or "object" or "embed" or "base" or "form" or "image" or "use");
            Assert.All(page.Descendants().Attributes().Where(attribute => attribute.Name.LocalName is "src" or "href"), attribute => Assert.Matches("^(#|data:(image/png|audio/wav);base64,)", attribute.Value));
            Assert.DoesNotContain(page.Descendants().Attributes(), attribute => attribute.Name.LocalName.StartsWith("on", StringComparison.Ordinal));
            foreach (var outside in (string[])["http:", "https:", "url(", "@import", "//"])
            {
                Assert.DoesNotContain(outside, WithoutData(text), StringComparison.OrdinalIgnoreCase);
            }
        }
    }

    [Fact]
    public void Links_find_their_sections_and_drawings_their_titles()
    {
        var page = Parse(QuantizationReport.Render(SampleReport.Model()));
        var ids = page.Descendants().Attributes("id").Select(id => id.Value).ToArray();
        Assert.Equal(ids.Distinct(), ids);
        Assert.All(page.Descendants("a"), link => Assert.Contains(link.Attribute("href")!.Value[1..], ids));
        Assert.All(page.Descendants("svg"), svg =>
        {
            Assert.Equal("img", svg.Attribute("role")!.Value);
            Assert.NotEmpty(svg.Element("title")!.Value);
            Assert.NotEmpty(svg.Element("desc")!.Value);
        });
        Assert.All(page.Descendants("table"), table => Assert.Equal("scroll", table.Parent!.Attribute("class")!.Value));
    }

    [Fact]
    public void The_verdict_holds_the_model_against_its_budgets()
    {
        Assert.Equal("No budget was given, so no bound says whether that is enough.", Verdict(null)[1]);
        Assert.Equal(
            ["2.50× smaller than the checkpoint. The weakest layer keeps 25.0 dB, noise of 5.6 %, at tokens of text (0.self_attn.q_proj); 26.0 dB, noise of 5.0 %, at tokens of vision (1.self_attn.q_proj).", "The budgets are kept: MinSqnrText 25, MinSqnrVision 20.", "Next: 'masquant evaluate' tells what it does to answers."],
            Verdict(new ModelBudgets { MinSqnrText = 25, MinSqnrVision = 20 }));
        var missed = Verdict(new ModelBudgets { MinSqnrText = 25, MinSqnrVision = 27 });
        Assert.Equal("1 of 2 budgets (MinSqnrText 25, MinSqnrVision 27) are missed.", missed[1]);
        Assert.StartsWith("Sample: Vision has 26.0 dB in layer 1.self_attn.q_proj, 1.0 dB less than MinSqnrVision demands (27.0 dB); 2 of 4 layers fall short. What helps: ", missed[2], StringComparison.Ordinal);

        static string[] Verdict(ModelBudgets? budgets) => [.. Parse(QuantizationReport.Render(SampleReport.Model(), budgets)).Descendants("div").First().Elements("p").Select(sentence => sentence.Value)];
    }

    [Fact]
    public void What_is_pasted_makes_the_model_again()
    {
        var options = OptionTable.Read(new Dictionary<string, string> { ["Scheme"] = "W4A6", ["Rank"] = "7", ["Rotation"] = "None" });
        var manifest = SampleReport.Manifest("Sample") with { Source = "omni & tiny", Options = OptionTable.Write(options) };
        var item = XElement.Parse(Pasted(manifest));
        Assert.Equal(("omni & tiny", "Sample", "Sample"), (item.Attribute("Include")!.Value, item.Attribute("Calibration")!.Value, item.Attribute("Name")!.Value));
        Assert.Equal(OptionTable.Write(options), OptionTable.Write(OptionTable.Read(item.Attributes().ToDictionary(word => word.Name.LocalName, word => word.Value))));

        // A draw of samples is not the item's to say.
        var command = Pasted(manifest with { Calibration = manifest.Calibration! with { SubsetSeed = 3 } });
        Assert.StartsWith("masquant quantize \"omni & tiny\" --calibration Sample --name Sample --samples 128 --subset-seed 3 --scheme W4A6 ", command, StringComparison.Ordinal);

        static string Pasted(Manifest manifest) => Assert.Single(Parse(QuantizationReport.Render(SampleReport.Model() with { Manifest = manifest })).Descendants("pre")).Value;
    }

    [Fact]
    public void Hostile_names_and_samples_stay_text()
    {
        var model = QuantizationReport.Render(SampleReport.Model(Hostile));
        var evaluation = Evaluation(Hostile);
        foreach (var text in (string[])[model, evaluation])
        {
            Assert.DoesNotContain("<script", text, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("<img src=x", text, StringComparison.OrdinalIgnoreCase);
            Assert.Contains(Parse(text).Descendants(), element => element.Value.Contains("<script>alert(1)</script>", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Equal_facts_give_equal_bytes_in_any_culture()
    {
        var expected = QuantizationReport.Render(SampleReport.Model());
        var culture = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            CultureInfo.CurrentCulture.NumberFormat.NumberDecimalSeparator = ",";
            CultureInfo.CurrentCulture.NumberFormat.NegativeSign = "~";
            Assert.Equal(expected, QuantizationReport.Render(SampleReport.Model()));
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    [Fact]
    public void A_model_without_facts_has_the_sections_that_its_manifest_fills()
    {
        var page = Parse(QuantizationReport.Render(SampleReport.Model() with { Facts = null, Times = null }));
        Assert.Equal(["summary", "sqnr", "layers"], page.Descendants("section").Select(section => section.Attribute("id")!.Value));
    }

    [Theory]
    [InlineData(400_001, 1, 0)]
    [InlineData(350_000, 20, 17)] // 6 MB in all.
    public void Media_are_bounded(int bytes, int count, int embedded)
    {
        byte[] large = [.. Png, .. new byte[bytes - Png.Length]];
        var page = Parse(Evaluation("text", [.. Enumerable.Repeat(new ImagePart(MediaSource.Memory(large, "a.png")), count)]));
        Assert.Equal(embedded, page.Descendants("img").Count());
        Assert.Equal(count - embedded, page.Descendants("p").Count(text => text.Value.Contains("are too much for a page", StringComparison.Ordinal)));
    }

    [Fact]
    public void What_a_file_holds_decides_not_its_name()
    {
        var page = Parse(Evaluation("text",
            new ImagePart(MediaSource.Memory(Encoding.UTF8.GetBytes("<svg onload='alert(1)'/>"), "a.png")),
            new AudioPart(MediaSource.File(Path.Combine(Path.GetTempPath(), "no such file.wav"))),
            new VideoPart([MediaSource.Memory(Png, "x.wav"), MediaSource.Memory(Png, "y")], 2)));
        Assert.Single(page.Descendants("img"));
        Assert.Empty(page.Descendants("audio"));
        Assert.Contains(page.Descendants("p"), text => text.Value.EndsWith("left out, no PNG, JPEG or WAV file.", StringComparison.Ordinal));
        Assert.Contains(page.Descendants("p"), text => text.Value.EndsWith("left out, the file is gone.", StringComparison.Ordinal));
    }

    [Fact]
    public void A_video_shows_its_first_frame_and_plays_its_sound()
    {
        var page = Parse(Evaluation("text", new VideoPart([MediaSource.Memory(Png, "x"), MediaSource.Memory(Png, "y")], 2) { Sound = MediaSource.Memory(Wav, "z") }));
        Assert.Single(page.Descendants("img"));
        Assert.Equal("Sound of the sample's video", Assert.Single(page.Descendants("audio")).Attribute("aria-label")!.Value);
    }

    [Fact]
    public void Correlation_is_Pearsons()
    {
        Assert.Equal(1, Correlation.Of([1, 2, 4], [3, 5, 9]), 1e-12);
        Assert.Equal(-1, Correlation.Of([1, 2, 4], [-1, -2, -4]), 1e-12);
        Assert.Equal(0.5, Correlation.Of([1, 2, 3], [1, 3, 2]), 1e-12); // By hand: 1 / √(2·2).
        Assert.True(double.IsNaN(Correlation.Of([1, 1], [1, 2])));
        Assert.True(double.IsNaN(Correlation.Of([], [])));
    }

    private static string Evaluation(string text, params IReadOnlyList<ContentPart> media)
        => ReportPage.Render("Evaluation", "Two samples", EvaluationVerdict.Of(["full precision", text], SampleReport.Results(text, media)), EvaluationSections.Of(["full precision", text], SampleReport.Results(text, media), ChartStyle.Of));

    // A page is well-formed XML, so that a forgotten or crossed tag is an error here.
    private static XElement Parse(string page)
    {
        using var reader = XmlReader.Create(new StringReader(page), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XElement.Load(reader);
    }

    private static string WithoutData(string page) => System.Text.RegularExpressions.Regex.Replace(page, "base64,[A-Za-z0-9+/=]*", "");

    // What a reader reads: headings, texts, tables, and of drawings their words.
    private static string Outline(XElement page)
    {
        var text = new StringBuilder();
        Write(page.Element("body")!, text);
        return text.ToString();
    }

    private static void Write(XElement element, StringBuilder text)
    {
        var name = element.Name.LocalName;
        switch (name)
        {
            case "tr":
                text.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", element.Elements().Select(cell => cell.Value))} |");
                break;
            case "svg":
                text.AppendLine(CultureInfo.InvariantCulture, $"[drawing: {element.Element("desc")!.Value} {string.Join(' ', element.Descendants("text").Select(label => label.Value))}; {element.Descendants("path").Count()} paths]");
                break;
            case "img" or "audio":
                text.AppendLine(CultureInfo.InvariantCulture, $"[{name}: {element.Attribute("src")!.Value[..24]}…]");
                break;
            case "h1" or "h2" or "h3" or "p" or "dt" or "dd" or "figcaption" or "caption" or "summary" or "strong" or "nav":
                text.AppendLine(CultureInfo.InvariantCulture, $"{name}: {string.Join(' ', element.DescendantNodes().OfType<XText>().Select(node => node.Value.Trim()))}");
                break;
            default:
                foreach (var child in element.Elements())
                {
                    Write(child, text);
                }

                break;
        }
    }
}
