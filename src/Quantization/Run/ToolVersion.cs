namespace MASQuant.Quantization.Run;

/// <summary>The version that artifacts name and that content keys cover.</summary>
public static class ToolVersion
{
    /// <summary>Major.minor.patch.</summary>
    public static string Current { get; } = typeof(ToolVersion).Assembly.GetName().Version!.ToString(3);
}
