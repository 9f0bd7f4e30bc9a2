using System.Globalization;

namespace MASQuant.Delivery;

/// <summary>What happens to a model on its way, as a code for programs and a line for people.</summary>
/// <param name="Code">One of the constants here.</param>
/// <param name="Model">The model's name.</param>
/// <param name="Text">The line, in English.</param>
public sealed record DeliveryEvent(string Code, string Model, string Text)
{
    /// <summary>Another process works on the model, and is waited for.</summary>
    public const string WaitingCode = "MASQuant.Waiting";

    /// <summary>The model came from the shared cache.</summary>
    public const string RestoredCode = "MASQuant.Restored";

    /// <summary>The model came from the remote cache.</summary>
    public const string DownloadedCode = "MASQuant.Downloaded";

    /// <summary>The model went to the remote cache.</summary>
    public const string UploadedCode = "MASQuant.Uploaded";

    public static DeliveryEvent Waiting(string model) => new(WaitingCode, model, $"{model}: waiting for another process that quantizes it");

    public static DeliveryEvent Restored(string model, long bytes) => new(RestoredCode, model, $"{model}: taken from the shared cache, {Megabytes(bytes)}");

    public static DeliveryEvent Downloaded(string model, string address, long bytes) => new(DownloadedCode, model, $"{model}: downloaded from {address}, {Megabytes(bytes)}");

    public static DeliveryEvent Uploaded(string model, string address, long bytes) => new(UploadedCode, model, $"{model}: uploaded to {address}, {Megabytes(bytes)}");

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:F1} MB");
}
