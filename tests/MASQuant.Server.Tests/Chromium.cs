using Microsoft.Playwright;

namespace MASQuant.Server.Tests;

/// <summary>The Chromium of this machine, whose camera and microphone are made up: a moving picture and a beep every second.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private static readonly string? Executable = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .SelectMany(folder => new[] { "chromium", "chromium-browser", "google-chrome" }.Select(name => Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async Task InitializeAsync()
    {
        if (Executable is not null)
        {
            Assertions.SetDefaultExpectTimeout(60_000); // ms: of a busy machine
            _playwright = await Playwright.CreateAsync();
            _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = Executable, Args = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"] });
        }
    }

    /// <summary>A page of a server, in a profile of its own.</summary>
    internal async Task<Visit> VisitAsync(Served served, ViewportSize? size = null, ColorScheme scheme = ColorScheme.Light)
    {
        Skip.If(_browser is null, "Chromium is not in PATH.");
        var context = await _browser.NewContextAsync(new() { ViewportSize = size ?? new ViewportSize { Width = 900, Height = 800 }, ColorScheme = scheme });
        return await Visit.BeginAsync(context, served);
    }

    /// <summary>A file.</summary>
    internal async Task<Visit> OpenAsync(Uri file, int width)
    {
        Skip.If(_browser is null, "Chromium is not in PATH.");
        return await Visit.BeginAsync(await _browser.NewContextAsync(new() { ViewportSize = new ViewportSize { Width = width, Height = 800 } }), file);
    }

    public async Task DisposeAsync()
    {
        await (_browser?.CloseAsync() ?? Task.CompletedTask);
        _playwright?.Dispose();
    }
}
