using System.Globalization;
using MASQuant.Diagnostics;

namespace MASQuant.Quantization.Planning;

/// <summary>Refuses a run that cannot end well, before any work.</summary>
public static class Preflight
{
    /// <summary>Compares what a run needs with what there is.</summary>
    /// <param name="plan">The run.</param>
    /// <param name="machine">The machine.</param>
    /// <param name="done">Bytes of finished blocks that an earlier run left.</param>
    /// <param name="model">The checkpoint, for messages.</param>
    /// <param name="output">The output folder, for messages.</param>
    /// <exception cref="MASQuantException">MASQ0955 disk, MASQ0956 memory; the message has both numbers.</exception>
    public static void Check(QuantizationPlan plan, MachineResources machine, long done, string model, string output)
    {
        if (plan.DiskBytes - done > machine.FreeDiskBytes)
        {
            throw new MASQuantException(DiagnosticCodes.NotEnoughDisk, output,
                $"Quantizing needs {Gigabytes(plan.DiskBytes - done)} on this disk; {Gigabytes(machine.FreeDiskBytes)} are free. Free space, or choose another output folder.");
        }

        if (plan.MemoryBytes > machine.MemoryBytes)
        {
            throw new MASQuantException(DiagnosticCodes.NotEnoughMemory, model,
                $"Quantizing needs about {Gigabytes(plan.MemoryBytes)} of memory; this machine has {Gigabytes(machine.MemoryBytes)}. Use a larger machine or fewer calibration samples; Epochs=\"0\", WeightQuantizer=\"Rtn\" and Compensation=\"None\" need less. 'masquant plan' shows the sum.");
        }
    }

    private static string Gigabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0##} GB");
}
