namespace MASQuant.Diagnostics;

public static partial class DiagnosticCodes
{
    /// <summary>Calibration activations are not finite.</summary>
    public const string ActivationNotFinite = "MASQ0510";

    /// <summary>A weight holds values that are not finite.</summary>
    public const string WeightNotFinite = "MASQ0511";

    /// <summary>A Gram matrix of activations cannot be factored.</summary>
    public const string GramNotFactorable = "MASQ0512";
}
