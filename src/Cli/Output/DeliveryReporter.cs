using MASQuant.Delivery;

namespace MASQuant.Cli.Output;

/// <summary>Tells of a delivery between the lines of a run.</summary>
internal sealed class DeliveryReporter(CommandConsole console, QuantizationReporter progress) : IDeliveryLog
{
    public void Report(DeliveryEvent happened)
    {
        progress.Clear();
        console.Error.WriteLine($"{happened.Text}.");
    }

    public void Warn(MASQuantException problem)
    {
        progress.Clear();
        console.Warn(problem);
    }

    public void Detail(string text)
    {
    }
}
