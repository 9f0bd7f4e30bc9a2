using MASQuant.Quantization.Planning;

namespace MASQuant.Cli.Output;

/// <summary>A plan for programs.</summary>
internal static class PlanJson
{
    /// <summary>Writes it.</summary>
    /// <param name="console">Where to.</param>
    /// <param name="model">The checkpoint's folder.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="machine">What there is.</param>
    /// <param name="speed">Of FP32 products, in operations per second.</param>
    public static void Write(CommandConsole console, string model, QuantizationPlan plan, MachineResources machine, double speed) => JsonAnswer.Write(console, json =>
    {
        json.WriteString("model", model);
        json.WriteString("family", plan.Config.Family.Name);
        json.WriteStartArray("parts");
        foreach (var (part, tensors, bytes) in plan.Parts)
        {
            json.WriteStartObject();
            json.WriteString("part", part);
            json.WriteNumber("tensors", tensors);
            json.WriteNumber("bytes", bytes);
            json.WriteBoolean("quantized", part == ModelPart.Quantized);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("scheme", plan.Options.Scheme.ToString());
        json.WriteStartObject("artifactBytesByScheme"); // null: shapes do not fit.
        foreach (var scheme in QuantizationScheme.All)
        {
            if (plan.ArtifactBytesAt(scheme) is { } bytes)
            {
                json.WriteNumber(scheme.ToString(), bytes);
            }
            else
            {
                json.WriteNull(scheme.ToString());
            }
        }

        json.WriteEndObject();
        json.WriteNumber("artifactBytes", plan.ArtifactBytes);
        json.WriteNumber("tokenBytes", plan.Config.Decoder().KeysAndValues * sizeof(float));
        json.WriteNumber("diskBytes", plan.DiskBytes);
        json.WriteNumber("memoryBytes", plan.MemoryBytes);
        json.WriteNumber("seconds", Math.Round(plan.Operations / speed, 1));
        json.WriteNumber("samples", plan.Calibration.Samples);
        json.WriteNumber("tokens", plan.Calibration.Tokens);
        json.WriteStartObject("machine");
        json.WriteNumber("freeDiskBytes", machine.FreeDiskBytes);
        json.WriteNumber("memoryBytes", machine.MemoryBytes);
        json.WriteEndObject();
    });
}
