using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text.RegularExpressions;
using MASQuant.Runtime;
using MASQuant.Tests;

namespace MASQuant.Extensions.AI.Tests;

/// <summary>The sample whose lines README shows, a program of its own: a picture is sent, and the answer streams back.</summary>
public sealed class PictureServerTests : IDisposable
{
    private static readonly string Folder = Path.Combine(RepositoryFiles.Root, "samples", "PictureServer");

    // Where the build of these tests has put it; Debug and Release lie beside each other.
    private static readonly string Output = AppContext.BaseDirectory.Replace(Path.Combine("tests", "MASQuant.Extensions.AI.Tests"), Path.Combine("samples", "PictureServer"), StringComparison.Ordinal);

    private readonly Process _server = Process.Start(new ProcessStartInfo("dotnet", [Path.Combine(Output, "PictureServer.dll"), "--urls", "http://127.0.0.1:0"]) { RedirectStandardOutput = true, WorkingDirectory = Output })!;

    public void Dispose()
    {
        _server.Kill();
        _server.WaitForExit();
        _server.Dispose();
    }

    [Fact]
    public async Task A_picture_is_asked_about_and_the_answer_streams()
    {
        using var client = new HttpClient { BaseAddress = new Uri(await Address()) };
        var picture = await File.ReadAllBytesAsync(RepositoryFiles.Data("media/eval-ocr-000.png"));
        var pieces = await Ask(client, picture);
        using var model = MultimodalModel.Load(Path.Combine(Output, "models", "OmniTiny.masquant.safetensors"));
        var expected = model.Generate(new Prompt().Image(picture).Text("Read the digits.")).ToArray();
        Assert.True(expected.Length > 2);
        Assert.Equal(expected, pieces.Where(piece => piece.Length > 0));

        using var request = Request([1, 2, 3], "image/webp");
        using var refused = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.InternalServerError, refused.StatusCode);
        Assert.Equal(expected, (await Ask(client, picture)).Where(piece => piece.Length > 0)); // it goes on
    }

    /// <summary>What README shows is what runs here.</summary>
    [Fact]
    public void The_lines_of_README_are_those_of_the_sample()
    {
        var readme = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "README.md"));
        var lines = File.ReadAllLines(Path.Combine(Folder, "Program.cs")).Where(line => line.StartsWith("builder.", StringComparison.Ordinal) || line.Contains("/ask\",", StringComparison.Ordinal) || line.StartsWith(' ')).ToArray();
        Assert.Equal(3, lines.Length);
        Assert.All(lines, line => Assert.Contains(line + "\n", readme, StringComparison.Ordinal));
    }

    private static async Task<List<string>> Ask(HttpClient client, byte[] picture)
    {
        using var request = Request(picture, "image/png");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.EnsureSuccessStatusCode();
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        var pieces = new List<string>();
        await foreach (var piece in SseParser.Create(await response.Content.ReadAsStreamAsync()).EnumerateAsync())
        {
            pieces.Add(piece.Data);
        }

        return pieces;
    }

    private static HttpRequestMessage Request(byte[] picture, string type)
        => new(HttpMethod.Post, "/ask?question=Read%20the%20digits.") { Content = new ByteArrayContent(picture) { Headers = { ContentType = new MediaTypeHeaderValue(type) } } };

    private async Task<string> Address()
    {
        while (await _server.StandardOutput.ReadLineAsync() is { } line)
        {
            if (Regex.Match(line, @"http://127\.0\.0\.1:\d+") is { Success: true } address)
            {
                _ = _server.StandardOutput.ReadToEndAsync(); // a full pipe would hold it up
                return address.Value;
            }
        }

        throw new InvalidOperationException("The server has ended.");
    }
}
