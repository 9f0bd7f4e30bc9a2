using MASQuant.Delivery.Caching;
using MASQuant.Platform;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests.Faults;

/// <summary>Cuts the power after every step of a quantization that replaces an older model. The disk then has everything; or, of what was not synced, half or nothing of the contents; or, of one folder, no names.</summary>
/// <param name="model">The models.</param>
/// <param name="cache">Whether a cache is filled.</param>
internal sealed class PowerLoss(FaultCase model, bool cache)
{
    private readonly HashSet<string> _seen = [];

    /// <summary>How many steps the quantization took.</summary>
    public int Steps { get; private set; }

    /// <summary>How many different disks were looked at.</summary>
    public int Disks => _seen.Count;

    /// <summary>Cuts the power.</summary>
    /// <param name="isChosen">Whether to cut it after so many steps, of all.</param>
    /// <returns>What is wrong afterwards.</returns>
    public IEnumerable<string> Run(Func<int, int, bool> isChosen)
    {
        using var folder = new TemporaryDirectory();
        var root = folder.File("root");
        model.LayOld(Path.Combine(root, "out"));
        var disk = Disk.Of(root);
        var files = new RecordingFiles(root);
        FileSystem.Use(files);
        var run = model.Quantize(Path.Combine(root, "out"), Store(root));
        FileSystem.Use(null);
        Steps = files.Steps.Count;
        if (run.ExitCode != 0)
        {
            yield return run.Error;
        }

        for (var done = 0; done <= Steps; done++)
        {
            foreach (var (name, left, share) in isChosen(done, Steps) || (done > 0 && IsAppearance(files.Steps[done - 1])) ? Left(root, disk, files.Steps, done) : [])
            {
                foreach (var problem in _seen.Add(left.Mark(share)) ? Check(left, share, isOver: done == Steps) : [])
                {
                    yield return $"after step {done} ({(done == 0 ? "none" : $"{files.Steps[done - 1].Call} {files.Steps[done - 1].To ?? files.Steps[done - 1].Path}")}), {name}: {problem.TrimEnd()}";
                }
            }

            if (done < Steps)
            {
                disk.Do(files.Steps[done]);
            }
        }
    }

    // The moments when results get their names are few, and always among those looked at.
    private static bool IsAppearance(DiskStep step) => step.Call == FileCall.Move && Path.GetDirectoryName(step.To!) == "out";

    private IEnumerable<(string Name, Disk Left, double Share)> Left(string root, Disk disk, IReadOnlyList<DiskStep> steps, int done)
    {
        yield return ("all there", disk, 1);
        yield return ("half of what was not synced", disk, 0.5);
        yield return ("nothing of what was not synced", disk, 0);
        var folders = steps.Take(done).Index().SelectMany(step => Disk.FoldersOf(step.Item).Select(folder => (folder, step.Index))).GroupBy(step => step.folder, step => step.Index);
        foreach (var folder in folders)
        {
            var synced = steps.Take(done).Index().LastOrDefault(step => step.Item.Call == FileCall.SyncFolder && step.Item.Path == (folder.Key.Length == 0 ? "." : folder.Key), (-1, null!)).Index;
            if (folder.Max() > synced)
            {
                yield return ($"no names in '{folder.Key}' after step {synced + 1}", Without(folder.Key, synced, steps.Take(done)), 1);
            }
        }
    }

    private Disk Without(string folder, int synced, IEnumerable<DiskStep> steps)
    {
        using var old = new TemporaryDirectory();
        model.LayOld(old.File("out"));
        var disk = Disk.Of(old.Path);
        foreach (var (index, step) in steps.Index())
        {
            disk.Do(step, index <= synced ? null : folder);
        }

        return disk;
    }

    private IEnumerable<string> Check(Disk left, double share, bool isOver)
    {
        using var folder = new TemporaryDirectory();
        left.Lay(folder.Path, share);
        var found = ModelFolder.Of(folder.File("out"));
        if (isOver ? !found.Is(model.New) : !found.IsPartOf(model.Old, model.New))
        {
            yield return $"the output is {found}";
        }

        foreach (var damage in CacheVerification.Run(new CacheFolder(folder.File("cache")), CancellationToken.None).Removed)
        {
            yield return damage;
        }

        foreach (var output in cache ? (string[])["out", "other"] : ["out"])
        {
            var next = model.QuantizeAgain(folder.File(output), Store(folder.Path));
            if (next.ExitCode != 0 || !ModelFolder.Of(folder.File(output)).Is(model.New) || next.Error.Contains("warning", StringComparison.Ordinal))
            {
                yield return $"the next run gives {ModelFolder.Of(folder.File(output))}: {next.Error}";
            }
        }

        foreach (var waste in Directory.GetFiles(folder.Path, "*.tmp", SearchOption.AllDirectories))
        {
            yield return $"'{waste}' is left";
        }
    }

    private string Store(string root) => cache ? Path.Combine(root, "cache") : "none";
}
