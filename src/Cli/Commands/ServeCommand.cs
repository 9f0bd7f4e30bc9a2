using System.CommandLine;
using MASQuant.Cli.Options;
using MASQuant.Cli.Output;
using MASQuant.Diagnostics;
using MASQuant.Platform;
using MASQuant.Runtime;
using MASQuant.Server;
using Microsoft.Extensions.Logging;

namespace MASQuant.Cli.Commands;

/// <summary><c>masquant serve</c>: answers over HTTP until it is told to stop.</summary>
internal static class ServeCommand
{
    /// <summary>The keys, by spaces, commas or lines. On a command line every user of the machine would see them.</summary>
    public const string KeysVariable = "MASQUANT_KEYS";

    private static readonly ServerOptions Defaults = new();
    private static readonly ModelOptions ModelDefaults = new();

    public static Command Create(CommandConsole console, CancellationToken cancellationToken)
    {
        var model = CliOptions.Path("MODEL", "An artifact, or a checkpoint's folder.");
        var host = CliOptions.Text("--host", "ADDRESS", $"The address to listen at. One that other machines reach needs keys. Default: {Defaults.Host}.");
        var port = CliOptions.Number("--port", Defaults.Port, value => value is >= 0 and <= 65535, "0 (one that is free)…65535", "The port.");
        var keyFile = CliOptions.Text("--key-file", "FILE", $"Keys, a line each, one of which every request must give; those of the environment variable {KeysVariable} count too.");
        var anonymous = new Option<bool>("--allow-anonymous") { Description = "Other machines may ask without a key." };
        var requests = CliOptions.Number("--max-requests", Defaults.MaxRequests, value => value >= 1, "1 or more", "Requests that are in progress or wait; a further one is told to ask again later.");
        var perKey = CliOptions.Number("--max-requests-per-key", Defaults.MaxRequestsPerKey, value => value >= 1, "1 or more", "The same for the requests of one key.");
        var bytes = CliOptions.Number("--max-request-bytes", Defaults.MaxRequestBytes, value => value >= 1, "1 or more", "Bytes of a request, its pictures and sounds in base64 included.");
        var sequences = CliOptions.Number("--max-sequences", ModelDefaults.MaxSequences, value => value >= 1, "1 or more", "Answers that are computed together.");
        var stop = CliOptions.Number("--stop-seconds", Defaults.StopTimeout.TotalSeconds, value => value is >= 0 and <= 3600, "0…3600", "How long answers in progress go on when the server is told to stop.");
        var device = CliOptions.Device();
        var json = CliOptions.Json("address, model and device, as soon as it answers");
        var limits = new LimitSwitches();
        var command = new CliCommand("serve", "Answers requests of OpenAI's chat completions with a model, until Ctrl-C or SIGTERM.", "MODEL [options]",
            "masquant serve out/OmniTiny.masquant.safetensors",
            "masquant serve out/OmniTiny.masquant.safetensors --host 0.0.0.0 --port 80 --key-file keys")
        { model, host, port, keyFile, anonymous, requests, perKey, bytes, sequences, stop, device, json };
        limits.AddTo(command);
        command.SetAction(parse =>
        {
            var options = new ServerOptions
            {
                Host = parse.GetValue(host) ?? Defaults.Host,
                Port = parse.GetValue(port),
                Keys = Keys(parse.GetValue(keyFile)),
                AllowAnonymous = parse.GetValue(anonymous),
                MaxRequests = parse.GetValue(requests),
                MaxRequestsPerKey = parse.GetValue(perKey),
                MaxRequestBytes = parse.GetValue(bytes),
                StopTimeout = TimeSpan.FromSeconds(parse.GetValue(stop)),
            };
            options.Validate(); // Before a model is opened for nothing.
            using var loaded = MultimodalModel.Load(parse.GetRequiredValue(model), limits.Of(parse) with { Device = parse.GetValue(device), MaxSequences = parse.GetValue(sequences) });
            if (loaded.ProcessorWarning is { } warning)
            {
                console.Warn(warning);
            }

            return Serve(console, loaded, options, parse.GetValue(json), cancellationToken).GetAwaiter().GetResult();
        });
        return command;
    }

    private static async Task<int> Serve(CommandConsole console, MultimodalModel model, ServerOptions options, bool json, CancellationToken cancellationToken)
    {
        // Told to stop while the model was opened, it starts and stops: the exit code is the same.
        await using var server = await ModelServer.StartAsync(model, options, logging => logging.SetMinimumLevel(LogLevel.Warning).AddSimpleConsole(line => line.SingleLine = true).AddConsole(target => target.LogToStandardErrorThreshold = LogLevel.Trace), CancellationToken.None).ConfigureAwait(false);
        if (json)
        {
            JsonAnswer.Write(console, answer =>
            {
                answer.WriteString("address", server.Address.ToString());
                answer.WriteString("model", model.Name);
                answer.WriteString("device", model.DeviceName);
            });
        }
        else
        {
            console.Output.WriteLine(server.Address);
            console.Output.Flush();
        }

        console.Error.WriteLine($"{model.Name} answers on {model.DeviceName}, {(options.Keys.Count == 0 ? "without keys" : $"with {options.Keys.Count} keys")}.");
        await Task.Delay(Timeout.Infinite, cancellationToken).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default).ConfigureAwait(false);
        console.Error.WriteLine("Stopping.");
        await server.StopAsync().ConfigureAwait(false);
        return ExitCode.Done;
    }

    private static string[] Keys(string? file)
    {
        string[] own = (Environment.GetEnvironmentVariable(KeysVariable) ?? "").Split([' ', ',', '\n', '\r', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (file is null)
        {
            return own;
        }

        var lines = FileSystem.Current.ReadAllText(file).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return lines.Length > 0 ? [.. own, .. lines] : throw new MASQuantException(DiagnosticCodes.ServerKeysInvalid, file, "The file has no keys. Write them into it, a line each, or leave --key-file out.");
    }
}
