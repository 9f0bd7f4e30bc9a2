using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace MASQuant.Server.Tests;

/// <summary>Somebody at the page. At its end nothing has been asked of another site, and no script has failed.</summary>
internal sealed class Visit : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _asked = [];
    private readonly ConcurrentQueue<string> _failures = [];
    private readonly Uri _address;

    private Visit(IBrowserContext context, IPage page, Uri address)
    {
        (_context, Page, _address) = (context, page, address);
        context.SetDefaultTimeout(120_000); // ms: of a busy machine
        page.Request += (_, request) => _asked.Enqueue(request.Url);
        page.PageError += (_, error) => _failures.Enqueue(error);
        page.Console += (_, message) =>
        {
            // What the policy refuses is told here alone; so is a status of 400 and more, which tests ask for.
            if (message.Type == "error" && !message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal))
            {
                _failures.Enqueue(message.Text);
            }
        };
    }

    public IPage Page { get; }

    public ILocator Text => Page.GetByRole(AriaRole.Textbox, new() { Name = "Message" });

    public ILocator Alert => Page.GetByRole(AriaRole.Alert);

    public ILocator Answers => Page.Locator(".assistant .text");

    public ILocator Facts => Page.Locator(".assistant .facts");

    public static Task<Visit> BeginAsync(IBrowserContext context, Served served) => BeginAsync(context, served.Address);

    public static async Task<Visit> BeginAsync(IBrowserContext context, Uri address)
    {
        var visit = new Visit(context, await context.NewPageAsync(), address);
        await visit.Page.GotoAsync(address.ToString());
        return visit;
    }

    public ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    /// <summary>Asks by the keyboard alone, and waits for the answer's end.</summary>
    /// <returns>The answer, and what is said below it.</returns>
    public async Task<(string Text, string Facts)> AskAsync(string question)
    {
        var before = await Answers.CountAsync();
        await Text.FillAsync(question);
        await Text.PressAsync("Enter");
        await Assertions.Expect(Facts.Nth(before)).ToContainTextAsync("Ended by");
        return ((await Answers.Nth(before).TextContentAsync())!, (await Facts.Nth(before).TextContentAsync())!);
    }

    /// <summary>The bytes of the one medium that is attached.</summary>
    public async Task<byte[]> AttachedAsync(string tag, string type)
    {
        var address = (await Page.Locator($"#attached {tag}").GetAttributeAsync("src"))!;
        Assert.StartsWith($"data:{type};base64,", address, StringComparison.Ordinal);
        return Convert.FromBase64String(address[(address.IndexOf(',', StringComparison.Ordinal) + 1)..]);
    }

    public async ValueTask DisposeAsync()
    {
        await _context.CloseAsync();
        Assert.Empty(_failures);
        Assert.All(_asked.Where(url => !url.StartsWith("data:", StringComparison.Ordinal)), url => Assert.StartsWith(_address.ToString(), url, StringComparison.Ordinal));
    }
}
