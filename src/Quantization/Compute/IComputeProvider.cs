using MASQuant.Quantization.Options;

namespace MASQuant.Quantization.Compute;

/// <summary>What an assembly that brings an <see cref="ICompute"/> has one of, public and with a constructor that takes nothing.</summary>
public interface IComputeProvider
{
    /// <summary>Takes hold of the device.</summary>
    /// <exception cref="MASQuantException">MASQ0517 a library is missing or cannot be loaded, MASQ0518 there is no such device.</exception>
    ICompute Open(ComputeKind kind);
}
