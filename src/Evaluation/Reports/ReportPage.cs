using MASQuant.Evaluation.Markup;

namespace MASQuant.Evaluation.Reports;

/// <summary>One self-contained HTML page: nothing is loaded from elsewhere, and nothing needs a script. Equal content gives equal bytes.</summary>
public static class ReportPage
{
    /// <summary>The page.</summary>
    /// <param name="title">The heading.</param>
    /// <param name="subtitle">One line below it.</param>
    /// <param name="verdict">What a reader should know first, a paragraph each.</param>
    /// <param name="sections">What follows, in order; those without content are left out.</param>
    public static string Render(string title, string subtitle, IReadOnlyList<string> verdict, IEnumerable<ReportSection> sections)
    {
        ReportSection[] all = [.. sections];
        var html = new MarkupWriter();
        html.Raw("<!DOCTYPE html>\n");
        using (html.Element("html", ("lang", "en")))
        {
            WriteHead(html, title);
            using (html.Element("body"))
            using (html.Element("main"))
            {
                html.Element("h1", title);
                html.Element("p", subtitle, ("class", "soft"));
                if (verdict.Count > 0)
                {
                    using (html.Element("div", ("class", "verdict")))
                    {
                        foreach (var sentence in verdict)
                        {
                            html.Element("p", sentence);
                        }
                    }
                }

                using (html.Element("nav", ("aria-label", "Sections")))
                {
                    foreach (var section in all)
                    {
                        html.Element("a", section.Title, ("href", $"#{section.Id}"));
                    }
                }

                foreach (var section in all)
                {
                    html.Line();
                    using (html.Element("section", ("id", section.Id)))
                    {
                        html.Element("h2", section.Title);
                        section.Write(html);
                    }
                }
            }
        }

        html.Line();
        return html.ToString();
    }

    private static void WriteHead(MarkupWriter html, string title)
    {
        using (html.Element("head"))
        {
            html.Empty("meta", ("charset", "utf-8"));
            html.Empty("meta", ("name", "viewport"), ("content", "width=device-width, initial-scale=1"));
            html.Empty("meta", ("name", "color-scheme"), ("content", "light dark"));

            // Even a mistake in escaping could load and run nothing.
            html.Empty("meta", ("http-equiv", "Content-Security-Policy"), ("content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:"));
            html.Element("title", title);
            using (html.Element("style"))
            {
                html.Raw(ReportStyle.Sheet);
            }
        }

        html.Line();
    }
}

/// <summary>A part of a page.</summary>
/// <param name="Id">Its anchor: letters, digits and hyphens.</param>
/// <param name="Title">Its heading.</param>
/// <param name="Write">Writes what is below the heading.</param>
public sealed record ReportSection(string Id, string Title, Action<MarkupWriter> Write);
