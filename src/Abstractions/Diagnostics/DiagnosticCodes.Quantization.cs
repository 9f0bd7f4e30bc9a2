namespace MASQuant.Diagnostics;

public static partial class DiagnosticCodes
{
    /// <summary>A layer's shape does not fit the packed layout of the scheme.</summary>
    public const string ShapeNotPackable = "MASQ0501";

    /// <summary>An option's value is not allowed.</summary>
    public const string OptionNotAllowed = "MASQ0502";

    /// <summary>An option names a decoder block that the model lacks.</summary>
    public const string BlockNotThere = "MASQ0513";

    /// <summary>The ranks that were given need more bytes than all patches may take.</summary>
    public const string PatchBytesExceeded = "MASQ0514";

    /// <summary>No setting that was tried keeps the budgets.</summary>
    public const string BudgetsNotReached = "MASQ0515";

    /// <summary>The package of the device that quantization is to be computed on is missing.</summary>
    public const string ComputePackageMissing = "MASQ0516";

    /// <summary>A library that quantization is to be computed with is missing or cannot be loaded.</summary>
    public const string ComputeLibraryNotLoadable = "MASQ0517";

    /// <summary>There is no device of the kind that quantization is to be computed on.</summary>
    public const string ComputeDeviceMissing = "MASQ0518";

    /// <summary>A block of a model that is joined is in no part.</summary>
    public const string PartMissing = "MASQ0520";

    /// <summary>A block of a model that is joined is in two parts.</summary>
    public const string PartDouble = "MASQ0521";

    /// <summary>Parts, or a checkpoint, of different runs.</summary>
    public const string PartForeign = "MASQ0522";

    /// <summary>A part is damaged.</summary>
    public const string PartDamaged = "MASQ0523";

    /// <summary>An input file changed while a model was being quantized.</summary>
    public const string InputChanged = "MASQ0524";
}
