using System.Globalization;
using MASQuant.Diagnostics;

namespace MASQuant.Engine.Execution;

/// <summary>What a device's name stands for: <c>cpu</c>, <c>cuda:N</c>, <c>cuda</c> (the first GPU) or <c>auto</c> (the first device that is usable, else the processor).</summary>
/// <param name="Device">The kind of device, of <see cref="ExecutionProviders.Devices"/>; null for the processor.</param>
/// <param name="Ordinal">The device's number, from 0.</param>
/// <param name="MayFallBack">Whether a device that is not usable gives way to the processor.</param>
public readonly record struct DeviceChoice(string? Device, int Ordinal, bool MayFallBack)
{
    /// <summary>Names the device where no option does.</summary>
    public const string EnvironmentVariable = "MASQUANT_DEVICE";

    /// <summary>The processor's name.</summary>
    public const string Processor = "cpu";

    private const string Automatic = "auto";
    private const int MostOrdinal = 1023;

    /// <summary>The names, as messages list them.</summary>
    public static string Allowed { get; } = $"{Processor}, {string.Join(", ", ExecutionProviders.Devices.Select(device => $"{device}, {device}:N"))}, {Automatic}";

    /// <summary>The choice of an option, or without one of the environment, or else the processor.</summary>
    /// <exception cref="MASQuantException">MASQ1005: the name is of no device.</exception>
    public static DeviceChoice Of(string? option) => Of(option, Environment.GetEnvironmentVariable(EnvironmentVariable));

    /// <inheritdoc cref="Of(string?)"/>
    internal static DeviceChoice Of(string? option, string? environment)
    {
        var name = option ?? (string.IsNullOrWhiteSpace(environment) ? Processor : environment.Trim());
        return TryParse(name, out var choice) ? choice : throw new MASQuantException(DiagnosticCodes.DeviceNameInvalid, null,
            $"'{name}'{(option is null ? $" in {EnvironmentVariable}" : "")} names no device. Allowed: {Allowed}, where N counts GPUs from 0.");
    }

    /// <summary>Reads a device's name, in any letter case.</summary>
    public static bool TryParse(string name, out DeviceChoice choice)
    {
        choice = default;
        if (name.Equals(Processor, StringComparison.OrdinalIgnoreCase))
        {
            return true;
        }

        if (name.Equals(Automatic, StringComparison.OrdinalIgnoreCase))
        {
            choice = new DeviceChoice(ExecutionProviders.Devices[0], 0, MayFallBack: true);
            return true;
        }

        var (kind, number) = name.Split(':', 2) is [var before, var after] ? (before, after) : (name, "0");
        if (ExecutionProviders.Devices.FirstOrDefault(device => device.Equals(kind, StringComparison.OrdinalIgnoreCase)) is not { } known
            || !int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal) || ordinal > MostOrdinal)
        {
            return false;
        }

        choice = new DeviceChoice(known, ordinal, MayFallBack: false);
        return true;
    }

    /// <summary>Takes hold of the device; null for the processor.</summary>
    /// <exception cref="MASQuantException">MASQ1001 … MASQ1009: the device is not usable, and the choice does not fall back.</exception>
    public IOpenDevice? Open()
    {
        try
        {
            return Device is null ? null : ExecutionProviders.Find(Device).Open(Ordinal);
        }
        catch (MASQuantException) when (MayFallBack)
        {
            return null;
        }
    }
}
