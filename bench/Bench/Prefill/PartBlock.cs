using System.Diagnostics;
using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;

namespace MASQuant.Bench.Prefill;

/// <summary>A block whose steps are run one by one and timed.</summary>
/// <param name="description">The steps.</param>
/// <param name="norms">The norms, in order.</param>
/// <param name="groups">The linear layers, which time themselves.</param>
/// <param name="times">Receives what the others take.</param>
/// <param name="count">As how many blocks it counts.</param>
internal sealed class PartBlock(BlockDescription description, IEnumerable<Norm> norms, IEnumerable<ILinearGroup> groups, PartTimes times, double count)
{
    private readonly BlockOperation[] _operations = BlockOperation.Bind(description.Steps, norms, groups, []);

    /// <summary>Runs the steps on the stream, [T, H].</summary>
    /// <param name="run">The pass.</param>
    /// <param name="attention">FLOPs of attention.</param>
    public void Run(ref BlockRun run, double attention)
    {
        for (var i = 0; i < _operations.Length; i++)
        {
            // A group that takes the step's rows times both.
            if (i + 1 < _operations.Length && _operations[i].TryRunInto(_operations[i + 1], ref run))
            {
                i++;
                continue;
            }

            var (step, operation) = (description.Steps[i], _operations[i]);
            var first = run.Values.Current.Length > 0 ? run.Values.Current[0] : run.Stream;
            var start = Stopwatch.GetTimestamp();
            operation.Run(ref run);
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            var (name, floor) = step switch
            {
                NormalizeStep => ("norms", Floor.Passes(run.Stream, run.Stream)),
                RotateStep => ("rotary positions", Floor.Passes(first, first, run.Values.Current[1], run.Values.Current[1])),
                AttendStep => ("attention: scores, softmax, values", new Floor(Flops: attention)),
                GateStep => ("SiLU", Floor.Passes(first, first, first)),
                ActivateStep => ("GELU", Floor.Passes(first, first)),
                AddStep => ("residual", Floor.Passes(run.Stream, run.Stream, run.Stream)),
                _ => ("", default),
            };
            if (name.Length > 0)
            {
                times.Add(name, floor, seconds, count);
            }
        }
    }
}
