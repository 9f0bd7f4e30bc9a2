using System.Globalization;
using MASQuant.Diagnostics;
using MASQuant.Gemm.Cuda.Driver;

namespace MASQuant;

/// <summary>What a device's name stands for: <c>cpu</c>, <c>cuda:N</c>, <c>cuda</c> (the first GPU) or <c>auto</c> (the first GPU that is usable, else the processor).</summary>
/// <param name="Ordinal">The GPU's number; −1 for the processor.</param>
/// <param name="MayFallBack">Whether a GPU that is not usable gives way to the processor.</param>
internal readonly record struct DeviceChoice(int Ordinal, bool MayFallBack)
{
    /// <summary>Names the device where no option does.</summary>
    public const string EnvironmentVariable = "MASQUANT_DEVICE";

    /// <summary>The names, as messages list them.</summary>
    public const string Allowed = "cpu, cuda, cuda:N, auto";

    private const string Gpu = "cuda";
    private const int MostOrdinal = 1023;

    /// <summary>Whether a GPU is wanted.</summary>
    public bool IsCuda => Ordinal >= 0;

    /// <summary>The choice of an option, or without one of the environment, or else the processor.</summary>
    /// <exception cref="MasQuantException">MASQ1005: the name is of no device.</exception>
    public static DeviceChoice Of(string? option) => Of(option, Environment.GetEnvironmentVariable(EnvironmentVariable));

    /// <inheritdoc cref="Of(string?)"/>
    internal static DeviceChoice Of(string? option, string? environment)
    {
        var name = option ?? (string.IsNullOrWhiteSpace(environment) ? "cpu" : environment.Trim());
        return TryParse(name, out var choice) ? choice : throw new MasQuantException(DiagnosticCodes.DeviceNameInvalid, null,
            $"'{name}'{(option is null ? $" in {EnvironmentVariable}" : "")} names no device. Allowed: {Allowed}, where N counts GPUs from 0.");
    }

    /// <summary>Reads a device's name, in any letter case.</summary>
    public static bool TryParse(string name, out DeviceChoice choice)
    {
        var ordinal = 0;
        var (isGpu, isAuto) = (name.Equals(Gpu, StringComparison.OrdinalIgnoreCase), name.Equals("auto", StringComparison.OrdinalIgnoreCase));
        var isNumbered = name.StartsWith(Gpu + ":", StringComparison.OrdinalIgnoreCase)
            && int.TryParse(name.AsSpan(Gpu.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out ordinal) && ordinal <= MostOrdinal;
        choice = isGpu || isAuto || isNumbered ? new DeviceChoice(ordinal, isAuto) : new DeviceChoice(-1, false);
        return choice.IsCuda || name.Equals("cpu", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The device; null for the processor.</summary>
    /// <exception cref="MasQuantException">MASQ1001 … MASQ1003, MASQ1006, MASQ1008: the GPU is not usable, and the choice does not fall back.</exception>
    public CudaDevice? Open()
    {
        try
        {
            return IsCuda ? CudaDevice.Open(Ordinal) : null;
        }
        catch (MasQuantException) when (MayFallBack)
        {
            return null;
        }
    }
}
