using MASQuant.Cli.Delivery;
using MASQuant.Cli.Output;
using MASQuant.Platform;
using MASQuant.Quantization;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Run;

namespace MASQuant.Cli.Commands;

/// <summary><c>masquant quantize --blocks</c>: a range of blocks becomes a part, whose folder is the answer.</summary>
internal static class QuantizePart
{
    public static int Run(CommandConsole console, QuantizationJob job, BlockChoice blocks, bool json, CancellationToken cancellationToken)
    {
        var started = Clock.Current.GetTimestamp();
        var progress = new QuantizationReporter(console);
        var plan = PartPipeline.Plan(job, blocks, cancellationToken);
        var isMade = progress.Follow(() => new PartDelivery(new DeliveryReporter(console, progress.Clear)).Bring(plan, progress, cancellationToken), () => PartDelivery.BlocksOf(plan));
        console.Error.WriteLine($"{job.Name}, {(plan.Blocks.First == plan.Blocks.Last ? "block" : "blocks")} {plan.Blocks} of 0-{plan.Layers - 1}: {(isMade ? $"quantized in {Figures.Duration(Clock.Current.GetElapsedTime(started))}" : "made by an earlier run")}.");
        if (json)
        {
            JsonAnswer.Write(console, answer =>
            {
                answer.WriteString("name", job.Name);
                answer.WriteString("part", plan.Folder);
                answer.WriteNumber("firstBlock", plan.Blocks.First);
                answer.WriteNumber("lastBlock", plan.Blocks.Last);
                answer.WriteNumber("blocks", plan.Layers);
            });
        }
        else
        {
            console.Output.WriteLine(plan.Folder);
        }

        return ExitCode.Done;
    }
}
