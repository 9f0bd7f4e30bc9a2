using Microsoft.Build.Framework;

namespace MASQuant.Tasks;

/// <summary>The codes of messages, by which loggers tell them apart without knowing words. <c>docs/build-integration.md</c> lists them.</summary>
internal static class ModelEvents
{
    public const string Waiting = "MASQuant.Waiting";
    public const string Started = "MASQuant.Started";
    public const string BlockResumed = "MASQuant.BlockResumed";
    public const string Progress = "MASQuant.Progress";
    public const string Quantized = "MASQuant.Quantized";
    public const string Cancelled = "MASQuant.Cancelled";
    public const string Restored = "MASQuant.Restored";
    public const string Downloaded = "MASQuant.Downloaded";
    public const string Uploaded = "MASQuant.Uploaded";
    public const string Evaluating = "MASQuant.Evaluating";
    public const string Evaluated = "MASQuant.Evaluated";

    /// <summary>A message with the line that people read; its subcategory is the model's name. Extended events would be richer, but task hosts drop them.</summary>
    public static BuildMessageEventArgs Create(string code, string model, string text, MessageImportance importance = MessageImportance.High)
        => new(model, code, file: null, 0, 0, 0, 0, text, helpKeyword: null, senderName: nameof(MASQuant), importance);
}
