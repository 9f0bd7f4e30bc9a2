namespace MASQuant.Ptx;

/// <summary>A kernel did what a GPU would not report, or would answer with wrong numbers.</summary>
public sealed class PtxException(PtxFault fault, string message) : Exception($"{fault}: {message}")
{
    /// <summary>The kind.</summary>
    public PtxFault Fault { get; } = fault;
}
