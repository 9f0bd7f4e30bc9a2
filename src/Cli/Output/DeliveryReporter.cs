using MASQuant.Delivery;

namespace MASQuant.Cli.Output;

/// <summary>Tells of a delivery between the lines of a run.</summary>
/// <param name="console">Where to.</param>
/// <param name="clear">Ends a line that the run rewrites.</param>
internal sealed class DeliveryReporter(CommandConsole console, Action clear) : IDeliveryLog
{
    public void Report(DeliveryEvent happened)
    {
        clear();
        console.Error.WriteLine($"{happened.Text}.");
    }

    public void Warn(MASQuantException problem)
    {
        clear();
        console.Warn(problem);
    }

    public void Detail(string text)
    {
    }
}
