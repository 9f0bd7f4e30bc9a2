using MASQuant.Delivery;
using Microsoft.Build.Framework;

namespace MASQuant.Tasks;

/// <summary>Writes what a delivery does to a build's log.</summary>
internal sealed class DeliveryLog(Microsoft.Build.Utilities.Task task) : IDeliveryLog
{
    public void Report(DeliveryEvent happened) => task.BuildEngine.LogMessageEvent(ModelEvents.Create(happened));

    public void Warn(MASQuantException problem) => task.Log.LogWarning(problem);

    public void Detail(string text) => task.Log.LogMessage(MessageImportance.Low, "{0}", text);
}
