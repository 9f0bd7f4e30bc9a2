using System.CommandLine;
using MASQuant.Cli.Inspection;
using MASQuant.Cli.Options;
using MASQuant.Cli.Output;
using MASQuant.Diagnostics;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Checkpoints;
using MASQuant.Platform;

namespace MASQuant.Cli.Commands;

/// <summary><c>masquant inspect</c>: what a checkpoint holds, or what quantization made of it.</summary>
internal static class InspectCommand
{
    public static Command Create(CommandConsole console)
    {
        var path = CliOptions.Path("PATH", "A checkpoint's folder, an artifact (*.masquant.safetensors) or a manifest (*.masquant.json).");
        var json = CliOptions.Json("of a quantized model its manifest (docs/artifact-format.md), of a checkpoint its facts and layers");
        var command = new CliCommand("inspect", "Lists the layers of a model: shapes, sizes, ranks, effective ranks and SQNR.", "PATH [--json]",
            "masquant inspect models/omni-tiny",
            "masquant inspect out/OmniTiny.masquant.safetensors --json")
        { path, json };
        command.SetAction(parse => Run(console, parse.GetRequiredValue(path), parse.GetValue(json)));
        return command;
    }

    private static int Run(CommandConsole console, string path, bool json)
    {
        if (Directory.Exists(path))
        {
            using var checkpoint = Checkpoint.Open(path);
            var report = CheckpointReport.Of(checkpoint);
            if (json)
            {
                report.WriteJson(console.Output);
            }
            else
            {
                report.Write(console.Output);
            }

            return ExitCode.Done;
        }

        var manifest = ReadManifest(path);
        if (json)
        {
            console.Output.Write(System.Text.Encoding.UTF8.GetString(ManifestFile.Serialize(manifest)));
        }
        else
        {
            ManifestReport.Write(manifest, console.Output);
        }

        return ExitCode.Done;
    }

    private static Manifest ReadManifest(string path)
    {
        if (!File.Exists(path))
        {
            throw new MASQuantException(DiagnosticCodes.ModelNotFound, path,
                $"There is no such folder or file. Give a checkpoint's folder, an artifact (*{ModelFiles.ArtifactSuffix}) or a manifest (*{ModelFiles.ManifestSuffix}).");
        }

        if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
        {
            return ManifestFile.Read(path);
        }

        using var artifact = Artifact.Open(path);
        return artifact.Manifest with { ArtifactBytes = FileSystem.Current.Info(path).Length };
    }
}
