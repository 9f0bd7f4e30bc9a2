namespace MASQuant.Diagnostics;

public static partial class DiagnosticCodes
{
    /// <summary>A file is missing or cannot be read.</summary>
    public const string FileNotReadable = "MASQ0101";

    /// <summary>A safetensors file whose header is not what the format allows.</summary>
    public const string SafetensorsHeaderInvalid = "MASQ0102";

    /// <summary>A safetensors file one of whose tensors is not what the format allows.</summary>
    public const string SafetensorsTensorInvalid = "MASQ0103";

    /// <summary>A Git LFS pointer stands where a file should be.</summary>
    public const string LfsPointer = "MASQ0104";

    /// <summary>A shard that the index names is missing.</summary>
    public const string ShardMissing = "MASQ0105";

    /// <summary>The index of a sharded checkpoint is malformed, leaves its folder or disagrees with its shards.</summary>
    public const string CheckpointIndexInvalid = "MASQ0106";

    /// <summary>A tensor that the model needs is missing.</summary>
    public const string TensorMissing = "MASQ0107";

    /// <summary>A tensor has another shape or element type than the model needs.</summary>
    public const string TensorMismatch = "MASQ0108";

    /// <summary>A tensor holds NaN or an infinity.</summary>
    public const string TensorNotFinite = "MASQ0109";

    /// <summary>A folder holds no checkpoint.</summary>
    public const string CheckpointMissing = "MASQ0110";

    /// <summary>A file cannot be written.</summary>
    public const string FileNotWritable = "MASQ0111";

    /// <summary>The tensors have another tool's names.</summary>
    public const string TensorNamesForeign = "MASQ0112";

    /// <summary>A folder holds an adapter without its model, or beside it.</summary>
    public const string AdapterAlone = "MASQ0113";
}
