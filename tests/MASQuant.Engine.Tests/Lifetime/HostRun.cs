using System.Globalization;
using MASQuant.Runtime;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace MASQuant.Engine.Tests.Lifetime;

/// <summary>Stops web applications at random moments of the answers that they stream to clients; the model is a service, which goes with the application. A mistake ends the process, so it has one of its own.</summary>
internal static class HostRun
{
    private const int Threads = 4;

    private static readonly GenerationOptions Endless = new() { MaxTokens = 4000, StopTokens = [], Temperature = 1 };

    private static Prompt Ask => new Prompt().Text("Quote a verse.");

    /// <summary>Prints how many applications were stopped, and how many answers that ended.</summary>
    /// <param name="artifact">The model.</param>
    /// <param name="count">Applications in all.</param>
    public static void Run(string artifact, int count)
    {
        var ended = 0;
        Parallel.For(0, Threads, new ParallelOptions { MaxDegreeOfParallelism = Threads }, thread =>
        {
            for (var round = thread; round < count; round += Threads)
            {
                Interlocked.Add(ref ended, StopAsync(artifact, new Random(round)).GetAwaiter().GetResult());
            }
        });
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} {ended}"));
    }

    private static async Task<int> StopAsync(string artifact, Random random)
    {
        var answers = new List<Task>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton(_ => MultimodalModel.Load(artifact));
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(random.Next(1000)));
        var app = builder.Build();
        app.MapGet("/{kind}", (string kind, MultimodalModel model, HttpContext context) => Note(answers, AnswerAsync(kind, model, context)));
        await app.StartAsync();

        var address = app.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        using var client = new HttpClient { BaseAddress = new Uri(address) };
        Task[] readers = [.. new[] { "stream", "obedient", "sync", "batch" }.Where(_ => random.Next(2) == 0).DefaultIfEmpty("stream").Select(kind => ReadAsync(client, kind))];
        await Task.WhenAny(readers.Append(Task.Delay(random.Next(200))));
        await app.StopAsync();
        await app.DisposeAsync();
        await Task.WhenAll(readers);
        await Task.WhenAll(answers);
        return answers.Count;
    }

    private static Task Note(List<Task> answers, Task answer)
    {
        lock (answers)
        {
            answers.Add(answer);
        }

        return answer;
    }

    // Its end may be that of the model or of the connection, and nothing else.
    private static async Task AnswerAsync(string kind, MultimodalModel model, HttpContext context)
    {
        try
        {
            switch (kind)
            {
                case "sync":
                    await Task.Run(async () =>
                    {
                        foreach (var piece in model.Generate(Ask, Endless))
                        {
                            await context.Response.WriteAsync(piece);
                        }
                    });
                    break;
                case "batch":
                    await foreach (var piece in model.GenerateBatchAsync([Ask, Ask], Endless))
                    {
                        await context.Response.WriteAsync(piece.Text);
                    }

                    break;
                default:
                    await foreach (var piece in model.GenerateAsync(Ask, Endless, kind == "obedient" ? context.RequestAborted : default))
                    {
                        await context.Response.WriteAsync(piece);
                    }

                    break;
            }
        }
        catch (ObjectDisposedException error) when (error.ObjectName == "LoadedModel")
        {
        }
        catch (ObjectDisposedException error) when (error.ObjectName == "MemoryPool")
        {
            // The server's own, which ends with it where the time to shut down has passed: a handler that heeds nothing still writes.
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
        }
    }

    // A client reads until the server ends its answer or breaks the connection.
    private static async Task ReadAsync(HttpClient client, string kind)
    {
        try
        {
            using var response = await client.GetAsync(new Uri(kind, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
            await (await response.Content.ReadAsStreamAsync()).CopyToAsync(Stream.Null);
        }
        catch (Exception error) when (error is HttpRequestException or IOException)
        {
        }
    }
}
