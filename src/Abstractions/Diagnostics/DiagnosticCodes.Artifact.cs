namespace MASQuant.Diagnostics;

public static partial class DiagnosticCodes
{
    /// <summary>A safetensors file that no quantization wrote.</summary>
    public const string NotAnArtifact = "MASQ0601";

    /// <summary>An artifact or a manifest of another format version.</summary>
    public const string ArtifactVersion = "MASQ0602";

    /// <summary>An artifact whose tensors disagree with its manifest.</summary>
    public const string ArtifactInvalid = "MASQ0603";

    /// <summary>A manifest that is malformed.</summary>
    public const string ManifestInvalid = "MASQ0604";
}
