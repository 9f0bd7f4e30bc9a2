using MASQuant.Cuda.Driver;

namespace MASQuant.Cuda.Tests;

/// <summary>A test that needs an NVIDIA GPU; skipped, with the reason, where there is none that is usable.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class CudaFactAttribute : FactAttribute
{
    private static readonly Lazy<string?> Reason = new(WhyNot);

    public CudaFactAttribute() => Skip = Reason.Value;

    /// <summary>What keeps the first GPU from being used; null when nothing does.</summary>
    internal static string? WhyNot()
    {
        try
        {
            CudaDevice.Open(0).Dispose();
            return null;
        }
        catch (MASQuantException e)
        {
            return $"{e.Code}: {e.Message}";
        }
    }
}
