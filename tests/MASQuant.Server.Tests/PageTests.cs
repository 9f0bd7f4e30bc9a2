using System.Buffers.Binary;
using System.Runtime.InteropServices;
using MASQuant.Tests;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace MASQuant.Server.Tests;

/// <summary>The page in a browser.</summary>
public class PageTests(OmniServer omni, Chromium chromium) : IClassFixture<OmniServer>, IClassFixture<Chromium>
{
    // The attached picture has more than one colour and is opaque.
    private const string ShowsSomething = """
        () => {
          const image = document.querySelector('#attached img');
          const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext('2d');
          canvas.drawImage(image, 0, 0);
          const pixels = new Uint32Array(canvas.getImageData(0, 0, image.naturalWidth, image.naturalHeight).data.buffer);
          return new Set(pixels).size > 1 && pixels.every(pixel => pixel >>> 24 === 255);
        }
        """;

    private readonly Served _served = omni.Served;

    [SkippableTheory]
    [InlineData(900, 800, ColorScheme.Light)]
    [InlineData(360, 640, ColorScheme.Dark)]
    public async Task Its_controls_have_names_and_fit(int width, int height, ColorScheme scheme)
    {
        await using var visit = await chromium.VisitAsync(_served, new() { Width = width, Height = height }, scheme);
        var page = visit.Page;
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("OmniTiny");
        await Expect(page).ToHaveTitleAsync("OmniTiny");
        await Expect(page.GetByRole(AriaRole.Log, new() { Name = "Conversation" })).ToBeVisibleAsync();
        await Expect(page.GetByLabel("Picture", new() { Exact = true })).ToHaveAttributeAsync("type", "file");
        await Expect(page.GetByLabel("Sound", new() { Exact = true })).ToHaveAttributeAsync("type", "file");
        await Expect(page.GetByLabel("Key", new() { Exact = true })).ToBeHiddenAsync(); // this server has none
        foreach (var control in (ILocator[])[visit.Text, visit.Button("New conversation"), visit.Button("Camera"), visit.Button("Record"), visit.Button("Send")])
        {
            await Expect(control).ToBeInViewportAsync(new() { Ratio = 1 });
        }

        await visit.AskAsync("Quote a verse. " + new string('a', 200)); // no word of which could be broken
        foreach (var element in (string[])["document.documentElement", "document.getElementById('conversation')"])
        {
            Assert.Equal(0, await page.EvaluateAsync<int>($"{element}.scrollWidth - {element}.clientWidth")); // nothing lies beside what is seen
        }

        var ground = await page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");
        Assert.Equal(scheme == ColorScheme.Light ? "rgb(255, 255, 255)" : "rgb(22, 24, 28)", ground);
        var file = Path.Combine(AppContext.BaseDirectory, "screenshots", $"page-{width}.png");
        await page.ScreenshotAsync(new() { Path = file });
        var image = File.ReadAllBytes(file);
        Assert.Equal((width, height), (BinaryPrimitives.ReadInt32BigEndian(image.AsSpan(16)), BinaryPrimitives.ReadInt32BigEndian(image.AsSpan(20)))); // of PNG's header
    }

    [SkippableTheory]
    [InlineData("omni/image", "Picture", "Attached picture", "Read the digits.")]
    [InlineData("omni/audio", "Sound", "Attached sound", "Transcribe the speech.")]
    public async Task A_question_with_a_file_has_the_models_answer_and_the_next_one_continues_it(string name, string control, string label, string question)
    {
        await using var visit = await chromium.VisitAsync(_served);
        var golden = Golden.Load(name);
        await visit.Page.GetByLabel(control, new() { Exact = true }).SetInputFilesAsync(golden.Files[0]);
        await Expect(visit.Page.Locator("#attached").Locator($"[alt='{label}'], [aria-label='{label}']")).ToBeVisibleAsync();
        var (first, facts) = await visit.AskAsync(question);
        Assert.Equal(golden.GreedyText, first + "<|im_end|>");
        Assert.StartsWith("Ended by stop.", facts, StringComparison.Ordinal);

        var prompt = control == "Picture" ? new Prompt().Image(golden.Files[0]) : new Prompt().Audio(golden.Files[0]);
        var expected = _served.Model.GeneratePieces(prompt.Text(question).Assistant(first).Text("Quote a verse.")).ToArray();
        var (second, secondFacts) = await visit.AskAsync("Quote a verse.");
        Assert.Equal(string.Concat(expected.Select(piece => piece.Text)), second);
        var usage = expected[^1].Usage!.Value;
        Assert.Contains($" {usage.GeneratedTokens} tokens; prompt {usage.PromptTokens}, ", secondFacts, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task The_microphone_is_heard_by_the_model()
    {
        await using var visit = await chromium.VisitAsync(_served);
        await visit.Button("Record").ClickAsync();
        await Expect(visit.Button("End recording")).ToHaveAttributeAsync("aria-pressed", "true");
        await visit.Page.WaitForTimeoutAsync(1500); // ms: a beep every second is in it
        await visit.Button("End recording").ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Sound attached.");
        var wav = await visit.AttachedAsync("audio", "audio/wav");
        var (format, samples) = (MemoryMarshal.Cast<byte, short>(wav.AsSpan(20, 16)).ToArray(), MemoryMarshal.Cast<byte, short>(wav.AsSpan(44)).ToArray());
        Assert.Equal((1, 1, 16000, 16), (format[0], format[1], BinaryPrimitives.ReadInt32LittleEndian(wav.AsSpan(24)), format[7])); // PCM, channels, Hz, bits
        Assert.InRange(samples.Length, 16000, 60 * 16000);
        Assert.True(samples.Max(sample => Math.Abs((int)sample)) > 1000); // a beep, not silence
        await Answers(visit, new Prompt().Audio(wav).Text("Transcribe the speech."), "Transcribe the speech.");
    }

    // Whoever presses a button just when the picture comes presses that button.
    [SkippableFact]
    public async Task Buttons_do_not_move_when_the_camera_begins()
    {
        await using var visit = await chromium.VisitAsync(_served);
        await visit.Page.EvaluateAsync("document.querySelector('dialog').showModal()");
        var before = await visit.Button("Take picture").BoundingBoxAsync();
        await visit.Page.EvaluateAsync("document.querySelector('dialog').close()");
        await visit.Button("Camera").ClickAsync();
        await Expect(visit.Button("Take picture")).ToBeEnabledAsync();
        var after = await visit.Button("Take picture").BoundingBoxAsync();
        Assert.Equal((before!.X, before.Y), (after!.X, after.Y));
    }

    [SkippableFact]
    public async Task The_camera_is_seen_by_the_model()
    {
        await using var visit = await chromium.VisitAsync(_served);
        await visit.Button("Camera").ClickAsync();
        await visit.Button("Cancel").ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Dialog)).ToBeHiddenAsync();
        await Expect(visit.Page.Locator("#attached li")).ToHaveCountAsync(0);
        await visit.Button("Camera").ClickAsync();
        await Expect(visit.Button("Take picture")).ToBeEnabledAsync();
        var size = await visit.Page.EvaluateAsync<int[]>("[document.querySelector('video').videoWidth, document.querySelector('video').videoHeight]");
        await visit.Button("Take picture").ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("Picture attached.");
        Assert.False(await visit.Page.EvaluateAsync<bool>("!!document.querySelector('video').srcObject")); // it looks no longer
        var png = await visit.AttachedAsync("img", "image/png");
        Assert.Equal((size[0], size[1]), (BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)), BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20)))); // of PNG's header
        Assert.True(await visit.Page.EvaluateAsync<bool>(ShowsSomething));
        await Answers(visit, new Prompt().Image(png).Text("Read the digits."), "Read the digits.");
    }

    [SkippableFact]
    public async Task A_key_is_asked_for_refused_if_wrong_and_kept_nowhere()
    {
        await using var served = await Served.StartAsync(RepositoryFiles.OmniTiny, new ServerOptions { Keys = ["right-key"] });
        await using var visit = await chromium.VisitAsync(served);
        var key = visit.Page.GetByLabel("Key", new() { Exact = true });
        await Expect(key).ToBeFocusedAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Status)).ToHaveTextAsync("This server asks for a key.");
        await key.FillAsync("wrong-key");
        await visit.Text.FillAsync("Hello.");
        await visit.Button("Send").ClickAsync();
        await Expect(visit.Alert).ToContainTextAsync("invalid_api_key: The request has no key that this server knows.");
        await Expect(visit.Text).ToHaveValueAsync("Hello.");
        await Expect(visit.Page.Locator("#conversation li")).ToHaveCountAsync(0);
        await key.FillAsync("right-key");
        await visit.AskAsync("Hello.");
        await Expect(visit.Alert).ToBeHiddenAsync();
        Assert.Equal(0, await visit.Page.EvaluateAsync<int>("localStorage.length + sessionStorage.length + document.cookie.length"));
        await visit.Page.ReloadAsync();
        await Expect(key).ToHaveValueAsync("");
    }

    [SkippableFact]
    public async Task A_refusal_shows_its_code_and_gives_the_question_back()
    {
        await using var visit = await chromium.VisitAsync(_served);
        await visit.Page.GetByLabel("Picture", new() { Exact = true }).SetInputFilesAsync(new FilePayload { Name = "torn.png", MimeType = "image/png", Buffer = [0, 0, 0] });
        await visit.Text.FillAsync("<b>What</b> is it?");
        await visit.Text.PressAsync("Enter");
        await Expect(visit.Alert).ToContainTextAsync("MASQ0301: ");
        await Expect(visit.Text).ToHaveValueAsync("<b>What</b> is it?");
        await visit.Button("Remove picture").ClickAsync();
        await Answers(visit, new Prompt().Text("<b>What</b> is it?"), "<b>What</b> is it?"); // nothing of the refused one is sent again
        await Expect(visit.Page.Locator(".user .text")).ToHaveTextAsync("<b>What</b> is it?");
    }

    [SkippableFact]
    public async Task Stop_ends_the_answer_here_and_there()
    {
        await using var served = await Served.StartAsync(RepositoryFiles.OmniTiny);
        await using var visit = await chromium.VisitAsync(served);
        await visit.Page.RouteAsync("**/v1/chat/completions", route => route.ContinueAsync(new() { PostData = System.Text.Encoding.UTF8.GetBytes(Served.LongAnswer) }));
        await visit.Text.FillAsync("Count.");
        await visit.Text.PressAsync("Enter");
        await Expect(visit.Answers).ToContainTextAsync("["); // it has begun
        await visit.Button("Stop").ClickAsync();
        await Expect(visit.Facts).ToHaveTextAsync("Stopped.");
        await Expect(visit.Button("Send")).ToBeVisibleAsync();
        await Expect(visit.Alert).ToBeHiddenAsync();
        await served.Until("masquant_requests_total{status=\"499\"}", 1);
    }

    private async Task Answers(Visit visit, Prompt prompt, string question)
        => Assert.Equal(string.Concat(_served.Model.GeneratePieces(prompt).Select(piece => piece.Text)), (await visit.AskAsync(question)).Text);
}
