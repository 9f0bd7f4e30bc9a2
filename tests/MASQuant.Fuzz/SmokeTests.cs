namespace MASQuant.Fuzz;

/// <summary>Every target in a few seconds: inputs that broke one once, then the same mutated inputs in every run. <c>docs/fuzzing.md</c> says how to run millions.</summary>
[Trait("Lane", "fuzz")]
public sealed class SmokeTests : IDisposable
{
    private const int Inputs = 10_000;
    private const int Seed = 17;

    private readonly FuzzTargets _targets = new();

    public static TheoryData<string> Names
    {
        get
        {
            using var targets = new FuzzTargets();
            return [.. targets.All.Select(target => target.Name)];
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Whatever_is_read_ends_in_a_value_or_a_code(string name)
    {
        var target = _targets[name];
        var run = new FuzzRun(target, Seed);
        foreach (var file in CorpusFiles.Regressions(target))
        {
            run.Check(File.ReadAllBytes(file));
        }

        run.Run(0, Inputs);
        Assert.True(run.Findings.Count == 0, string.Join("\n", run.Findings.Select(finding => finding.Problem).Distinct().Take(10)));
        Assert.True(run.Values > 0); // The target is reached: not all inputs are turned away at the door.
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Inputs_to_begin_with_are_read(string name)
    {
        var target = _targets[name];
        Assert.NotEmpty(CorpusFiles.Of(target));
        Assert.All(CorpusFiles.Of(target), file => target.Read(File.ReadAllBytes(file)));
    }

    public void Dispose() => _targets.Dispose();
}
