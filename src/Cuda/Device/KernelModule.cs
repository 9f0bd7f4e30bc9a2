namespace MASQuant.Cuda.Device;

/// <summary>One PTX file, embedded in this assembly.</summary>
/// <param name="Name">The resource, for example <c>decoder.sm80.ptx</c>.</param>
/// <param name="ComputeCapability">The least that runs it.</param>
/// <param name="LastComputeCapability">The last that it is for; null: there is none.</param>
public sealed record KernelModule(string Name, int ComputeCapability, int? LastComputeCapability = null)
{
    /// <summary>Whether a device of this compute capability takes kernels from the module.</summary>
    public bool IsFor(int computeCapability) => computeCapability >= ComputeCapability && computeCapability <= (LastComputeCapability ?? int.MaxValue);

    /// <summary>The text, UTF-8, as the driver compiles it.</summary>
    public byte[] ReadPtx()
    {
        using var stream = typeof(KernelModule).Assembly.GetManifestResourceStream(Name)
            ?? throw new InvalidOperationException($"The assembly does not carry '{Name}'.");
        var text = new byte[stream.Length];
        stream.ReadExactly(text);
        return text;
    }
}
