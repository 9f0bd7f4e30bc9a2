using System.Runtime.InteropServices;
using System.Text;
using MASQuant.Cli.Output;

namespace MASQuant.Cli;

/// <summary>The process: its streams and signals.</summary>
internal static class Program
{
    public static int Main(string[] args)
    {
        if (OperatingSystem.IsWindows())
        {
            Console.OutputEncoding = Encoding.UTF8;
        }

        using var cancellation = new CancellationTokenSource();

        // The first signal asks the command to stop, a second one ends the process.
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = !cancellation.IsCancellationRequested;
            cancellation.Cancel();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        return CommandLine.Run(args, new CommandConsole(Console.Out, Console.Error, !Console.IsErrorRedirected) { OutputIsTerminal = !Console.IsOutputRedirected, Input = new StreamReader(Console.OpenStandardInput(), Encoding.UTF8) }, cancellation.Token);
    }
}
