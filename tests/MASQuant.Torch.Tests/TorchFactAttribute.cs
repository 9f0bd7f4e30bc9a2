using MASQuant.Quantization.Options;

namespace MASQuant.Torch.Tests;

/// <summary>A test that needs libtorch; skipped, with the reason, where it cannot be loaded.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TorchFactAttribute : FactAttribute
{
    public TorchFactAttribute() => Skip = Reason.Value;

    /// <summary>What keeps libtorch from being loaded; null when nothing does.</summary>
    internal static Lazy<string?> Reason { get; } = new(() =>
    {
        try
        {
            new TorchProvider().Open(ComputeKind.TorchCpu).Dispose();
            return null;
        }
        catch (MASQuantException e)
        {
            return e.Message;
        }
    });
}

/// <summary>The same, for several cases.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TorchTheoryAttribute : TheoryAttribute
{
    public TorchTheoryAttribute() => Skip = TorchFactAttribute.Reason.Value;
}
