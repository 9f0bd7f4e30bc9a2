using MASQuant.Formats.Checkpoints;
using MASQuant.Quantization.Calibration;
using MASQuant.Quantization.Compute;
using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Run;

/// <summary>One model to quantize: what goes in, what comes out, where.</summary>
public sealed record QuantizationJob
{
    /// <summary>The checkpoint's folder.</summary>
    public required string ModelFolder { get; init; }

    /// <summary>The calibration set, a JSON Lines file.</summary>
    public required string CalibrationFile { get; init; }

    /// <summary>The part of the calibration set that is used; null for as much of it as the options ask for.</summary>
    public CalibrationSubset? Subset { get; init; }

    /// <summary>Receives <c>{Name}.masquant.safetensors</c> and <c>{Name}.masquant.json</c>.</summary>
    public required string OutputFolder { get; init; }

    /// <summary>The model's name: a C# identifier.</summary>
    public required string Name { get; init; }

    /// <summary>Holds finished layers until the artifact is written, so that an interrupted run resumes; deleted at the end.</summary>
    public required string WorkFolder { get; init; }

    /// <summary>The key under which the result will be kept; null: that of the files as they are. Other files end the run.</summary>
    public string? Key { get; init; }

    /// <summary>The method.</summary>
    public QuantizationOptions Options { get; init; } = new();

    /// <summary>What computes unless that is managed code; null when nobody brought it.</summary>
    public ComputeAssembly? ComputeAssembly { get; init; }

    /// <summary>The families to recognise; null for the supported ones.</summary>
    public ModelFamilies? Families { get; init; }

    /// <summary>The part that is used of a calibration set of so many samples; null for all of it.</summary>
    public CalibrationSubset? SubsetOf(int samples)
        => Subset ?? (Options.SamplesOf(samples) is var taken && taken < samples ? new CalibrationSubset(taken, Options.Seed) : null);

    /// <summary>Opens the checkpoint.</summary>
    /// <exception cref="MASQuantException">A file is missing or malformed.</exception>
    public Checkpoint OpenCheckpoint() => Checkpoint.Open(ModelFolder, Families);
}
