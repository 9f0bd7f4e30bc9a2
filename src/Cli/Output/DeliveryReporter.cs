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
        console.Error.WriteLine($"{problem.File ?? CommandLine.Name}: warning {problem.Code}: {problem.Description}");
    }

    public void Detail(string text)
    {
    }
}
