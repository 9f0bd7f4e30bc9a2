using MASQuant.Delivery;
using Microsoft.Build.Framework;

namespace MASQuant.Tasks;

/// <summary>The codes of messages, by which loggers tell them apart without knowing words. <c>docs/build-integration.md</c> lists them.</summary>
internal static class ModelEvents
{
    public const string Waiting = DeliveryEvent.WaitingCode;
    public const string Started = "MASQuant.Started";
    public const string NoClass = "MASQuant.NoClass";
    public const string BlockResumed = "MASQuant.BlockResumed";
    public const string Progress = "MASQuant.Progress";
    public const string Quantized = "MASQuant.Quantized";
    public const string Cancelled = "MASQuant.Cancelled";
    public const string Restored = DeliveryEvent.RestoredCode;
    public const string Downloaded = DeliveryEvent.DownloadedCode;
    public const string Uploaded = DeliveryEvent.UploadedCode;
    public const string Evaluating = "MASQuant.Evaluating";
    public const string Evaluated = "MASQuant.Evaluated";

    /// <summary>A delivery's event as a message.</summary>
    public static BuildMessageEventArgs Create(DeliveryEvent happened) => Create(happened.Code, happened.Model, happened.Text);

    /// <summary>A message with the line that people read; its subcategory is the model's name. Extended events would be richer, but task hosts drop them.</summary>
    public static BuildMessageEventArgs Create(string code, string model, string text, MessageImportance importance = MessageImportance.High)
        => new(model, code, file: null, 0, 0, 0, 0, VisibleText.Of(text), helpKeyword: null, senderName: nameof(MASQuant), importance);

    /// <summary>The message behind a mark of ours, which may steer a terminal.</summary>
    public static BuildMessageEventArgs Marked(string mark, BuildMessageEventArgs line)
        => new(line.Subcategory, line.Code, file: null, 0, 0, 0, 0, mark + line.Message, helpKeyword: null, senderName: nameof(MASQuant), MessageImportance.High);
}
