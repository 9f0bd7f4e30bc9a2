namespace MASQuant.Diagnostics;

public static partial class DiagnosticCodes
{
    /// <summary>A modality's SQNR is below its budget.</summary>
    public const string BudgetOfSqnrMissed = "MASQ0950";

    /// <summary>The artifact is larger than its budget.</summary>
    public const string BudgetOfBytesExceeded = "MASQ0951";

    /// <summary>The evaluation loss is above its budget.</summary>
    public const string BudgetOfLossExceeded = "MASQ0952";

    /// <summary>A budget needs evaluation data that is not there.</summary>
    public const string EvaluationDataMissing = "MASQ0953";

    /// <summary>A budget is given for what the model has not.</summary>
    public const string BudgetNotMeasurable = "MASQ0954";

    /// <summary>Quantizing would need more disk space than is free.</summary>
    public const string NotEnoughDisk = "MASQ0955";

    /// <summary>Quantizing would need more memory than the machine has.</summary>
    public const string NotEnoughMemory = "MASQ0956";
}
