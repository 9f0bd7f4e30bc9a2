using MASQuant.Cuda.Device;

namespace MASQuant.Cuda.Checks;

/// <summary>Everything that is checked on a device.</summary>
public static class DeviceChecks
{
    /// <summary>From what all else needs to whole decoders, so that what fails first says most.</summary>
    public static IReadOnlyList<DeviceCheck> All { get; } =
    [
        .. TransferChecks.All, .. PrepareChecks.All, .. ProductChecks.All, .. PatchChecks.All, .. DenseChecks.All, .. AttentionChecks.All, .. DecoderStepChecks.All, .. StateChecks.All, .. TokenChecks.All, .. DrawChecks.All,
        .. TowerChecks.All, .. AudioChecks.All, .. LinearGroupChecks.All, .. DecoderChecks.All, .. BatchChecks.All, .. SessionChecks.All,
    ];

    /// <summary>Runs the check of a name.</summary>
    public static void Run(string name, ICudaDevice device) => All.Single(check => check.Name == name).Run(device);
}
