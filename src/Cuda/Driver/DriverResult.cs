namespace MASQuant.Cuda.Driver;

/// <summary>The results of driver calls that are more than an error to report.</summary>
internal static class DriverResult
{
    public const int Success = 0;
    public const int OutOfMemory = 2;
    public const int NoDevice = 100;
}
