using MASQuant.Tests;

namespace MASQuant.Cli.Tests.Faults;

/// <summary><c>masquant quantize</c> under failures: over an output that holds an older model, with a cache that is empty or with none, and into a new output from a cache that has the model.</summary>
/// <param name="model">The models.</param>
/// <param name="cache">Which cache: <c>empty</c>, <c>full</c> or <c>none</c>.</param>
internal sealed class QuantizeFaults(FaultCase model, string cache) : IFaultRun
{
    public IEnumerable<string> Run(IFault fault)
    {
        using var folder = new TemporaryDirectory();
        var (output, store) = (folder.File("out"), cache == "none" ? "none" : folder.File("cache"));
        if (cache == "full")
        {
            model.LayCache(store);
        }
        else
        {
            model.LayOld(output);
        }

        var run = fault.During(() => model.Quantize(output, store));
        foreach (var problem in After(run, output, folder.Path))
        {
            yield return problem;
        }

        foreach (var problem in Next(output, store, "the next run"))
        {
            yield return problem;
        }

        if (cache != "none")
        {
            foreach (var problem in Next(folder.File("other"), store, "a run from the cache"))
            {
                yield return problem;
            }
        }

        foreach (var left in Directory.GetFiles(folder.Path, "*.tmp", SearchOption.AllDirectories))
        {
            yield return $"'{left}' is left";
        }
    }

    public void Dispose()
    {
    }

    private IEnumerable<string> After(CommandRun run, string output, string folder)
    {
        var found = ModelFolder.Of(output);
        if (run.ExitCode is not (0 or 1) || (run.ExitCode == 1 && !run.Error.Contains("error MASQ", StringComparison.Ordinal)))
        {
            yield return $"exit code {run.ExitCode}: {run.Error}";
        }

        if (run.ExitCode == 0 && !found.Is(model.New))
        {
            yield return $"it succeeded, and left {found}";
        }

        if (!found.IsPartOf(model.Old, model.New))
        {
            yield return $"it left {found}";
        }

        foreach (var open in OpenFiles.Below(folder))
        {
            yield return $"'{open}' is left open";
        }

        if (run.Error.Contains("MASQ0802", StringComparison.Ordinal))
        {
            yield return $"no place: {run.Error}";
        }
    }

    private IEnumerable<string> Next(string output, string store, string what)
    {
        var run = model.QuantizeAgain(output, store);
        if (run.ExitCode != 0 || !ModelFolder.Of(output).Is(model.New))
        {
            yield return $"{what}: exit code {run.ExitCode}, {ModelFolder.Of(output)}: {run.Error}";
        }

        var names = Directory.GetFileSystemEntries(output);
        if (names.Length != 4)
        {
            yield return $"{what} left {string.Join(", ", names)}";
        }
    }
}
