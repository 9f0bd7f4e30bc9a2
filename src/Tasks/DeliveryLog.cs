using MASQuant.Delivery;
using Microsoft.Build.Framework;

namespace MASQuant.Tasks;

/// <summary>Writes what a delivery does to a build's log.</summary>
/// <param name="task">The task.</param>
/// <param name="lines">What the build says.</param>
internal sealed class DeliveryLog(Microsoft.Build.Utilities.Task task, BuildLines lines) : IDeliveryLog
{
    public void Report(DeliveryEvent happened) => lines.Say(ModelEvents.Create(happened));

    public void Warn(MASQuantException problem) => task.Log.LogWarning(problem);

    public void Detail(string text) => task.Log.LogMessage(MessageImportance.Low, "{0}", VisibleText.OfLines(text));
}
