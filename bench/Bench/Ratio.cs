using MASQuant.Engine.Tensors;

namespace MASQuant.Bench;

/// <summary>A speed that must hold, as a share of another one that the same process reaches.</summary>
/// <param name="Name">What is measured.</param>
/// <param name="Work">What one run of <paramref name="Subject"/> does, in units.</param>
/// <param name="Subject">The code under test.</param>
/// <param name="BaselineWork">What one run of <paramref name="Baseline"/> does, in units.</param>
/// <param name="Baseline">What it is compared with.</param>
/// <param name="Unit">Of both speeds, for example <c>GFLOP/s</c>; work is given in 10⁹ of it.</param>
/// <param name="Hold">The smallest accepted ratio of the speeds.</param>
internal sealed record Ratio(string Name, double Work, Action Subject, double BaselineWork, Action Baseline, string Unit, double Hold)
{
    /// <summary>How many threads <see cref="Subject"/> keeps busy.</summary>
    public int SubjectThreads { get; init; } = Workers.Count;

    /// <summary>How many threads <see cref="Baseline"/> keeps busy.</summary>
    public int BaselineThreads { get; init; } = Workers.Count;
}
