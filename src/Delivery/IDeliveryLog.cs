namespace MASQuant.Delivery;

/// <summary>Hears what a delivery does: a build's log, or a terminal.</summary>
public interface IDeliveryLog
{
    /// <summary>Something that everybody should see.</summary>
    void Report(DeliveryEvent happened);

    /// <summary>Something that went wrong and does not stop the delivery.</summary>
    void Warn(MASQuantException problem);

    /// <summary>A detail for whoever looks for one.</summary>
    void Detail(string text);
}
