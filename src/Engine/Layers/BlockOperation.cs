using MASQuant.Engine.Gemm;
using MASQuant.Formats.Models;

namespace MASQuant.Engine.Layers;

/// <summary>A step of a block as the processor computes it.</summary>
internal abstract class BlockOperation
{
    /// <summary>Computes the step.</summary>
    public abstract void Run(ref BlockRun run);

    /// <summary>Computes the step and the next one together, to the same bits, where that spares a pass over memory.</summary>
    /// <returns>Whether it has.</returns>
    public virtual bool TryRunInto(BlockOperation next, ref BlockRun run) => false;

    /// <summary>Binds steps to what they need, in their order.</summary>
    /// <exception cref="NotSupportedException">The processor does not know a step.</exception>
    public static BlockOperation[] Bind(IReadOnlyList<BlockStep> steps, IEnumerable<Norm> norms, IEnumerable<ILinearGroup> groups, IEnumerable<float[]> parameters)
    {
        var (norm, group, parameter) = (new Queue<Norm>(norms), new Queue<ILinearGroup>(groups), new Queue<float[]>(parameters));
        return [.. steps.Select(step => (BlockOperation)(step switch
        {
            NormalizeStep => new Normalize(norm.Dequeue()),
            ProjectStep project => new Project([.. project.Linears.Select(linear => linear.Outputs)], group.Dequeue()),
            NormalizeHeadsStep => new NormalizeHeads(norm.Dequeue(), norm.Dequeue()),
            RotateStep => new Rotate(),
            AttendStep attend => new Attend(attend),
            SplitGatesStep split => new SplitGates(split),
            GateOutputStep => new GateOutput(),
            ConvolveStep convolve => new Convolve(convolve, new CausalConvolution(parameter.Dequeue(), convolve.Channels, convolve.Width)),
            DeltaRuleStep delta => new ApplyDeltaRule(delta, new DeltaGates(parameter.Dequeue(), parameter.Dequeue())),
            NormalizeGatedStep => new NormalizeGated(norm.Dequeue()),
            GateStep => new Gate(),
            ActivateStep activate => new Activate(activate.Function),
            AddStep => new Add(),
            DeepstackStep deepstack => new Deepstack(deepstack.Level),
            JoinStreamStep join => new JoinStream(join.Rows),
            JoinStep join => new Join(join.Rows),
            PoolStep => new Pool(),
            _ => throw step.Unknown("the processor"),
        }))];
    }

    private sealed class Normalize(Norm norm) : BlockOperation
    {
        public override void Run(ref BlockRun run)
        {
            norm.Apply(run.Stream, run.Values.New(run.Stream.Rows, run.Stream.Columns));
            run.Values.Advance(taken: 0);
        }

        public override bool TryRunInto(BlockOperation next, ref BlockRun run)
            => next is Project project && project.TryRun(run.Values.Normed.Of(norm, run.Stream), taken: 0, ref run);
    }

    private sealed class Project(int[] outputs, ILinearGroup layers) : BlockOperation
    {
        public override void Run(ref BlockRun run)
        {
            var x = run.Values.Current[0];
            Reserve(x.Rows, ref run);
            layers.Forward(x, run.Modalities, run.Values.Results);
            run.Values.Advance(taken: 1);
        }

        /// <summary>Runs on rows in place of the first values.</summary>
        public bool TryRun(IInputRows x, int taken, ref BlockRun run)
        {
            if (layers is not IPreparingGroup preparing)
            {
                return false;
            }

            Reserve(x.Rows, ref run);
            preparing.Forward(x, run.Modalities, run.Values.Results);
            run.Values.Advance(taken);
            return true;
        }

        private void Reserve(int rows, ref BlockRun run)
        {
            foreach (var columns in outputs)
            {
                run.Values.New(rows, columns);
            }
        }
    }

    private sealed class NormalizeHeads(Norm queries, Norm keys) : BlockOperation
    {
        public override void Run(ref BlockRun run)
        {
            queries.ApplyToHeads(run.Values.Current[0]);
            keys.ApplyToHeads(run.Values.Current[1]);
        }
    }

    private sealed class Rotate : BlockOperation
    {
        public override void Run(ref BlockRun run)
        {
            run.Attention.Rotate(run.Values.Current[0]);
            run.Attention.Rotate(run.Values.Current[1]);
        }
    }

    private sealed class Attend(AttendStep step) : BlockOperation
    {
        public override void Run(ref BlockRun run)
        {
            var (queries, keys, values) = (run.Values.Current[0], run.Values.Current[1], run.Values.Current[2]);
            run.Attention.Attend(step, queries, keys, values, run.Values.New(queries.Rows, step.Heads * step.HeadSize));
            run.Values.Advance(taken: 3);
        }
    }

    private sealed class SplitGates(SplitGatesStep step) : BlockOperation
    {
        public override void Run(ref BlockRun run)
        {
            var (both, size) = (run.Values.Current[0], step.HeadSize);
            var (queries, gates) = (run.Values.New(both.Rows, step.Heads * size), run.Values.New(both.Rows, step.Heads * size));
            for (var row = 0; row < both.Rows; row++)
            {
                for (var head = 0; head < step.Heads; head++)
                {
                    both.Row(row).Slice(2 * head * size, size).CopyTo(queries.Row(row)[(head * size)..]);
                    both.Row(row).Slice(((2 * head) + 1) * size, size).CopyTo(gates.Row(row)[(head * size)..]);
                }
            }

            run.Values.Advance(taken: 1);
            run.Values.PutSecondLast();
        }
    }

    private sealed class GateOutput : BlockOperation
    {
        public override void Run(ref BlockRun run)
        {
            Sigmoid.Multiply(run.Values.Current[0], run.Values.Current[1]);
            run.Values.DropSecond();
        }
    }

    private sealed class Convolve(ConvolveStep step, CausalConvolution weights) : BlockOperation
    {
        public override void Run(ref BlockRun run) => run.Attention.Recurrence.Convolve(step, weights, run.Values.Current[0]);
    }

    private sealed class ApplyDeltaRule(DeltaRuleStep step, DeltaGates gates) : BlockOperation
    {
        public override void Run(ref BlockRun run)
        {
            var (a, b, x) = (run.Values.Current[0], run.Values.Current[1], run.Values.Current[2]);
            run.Attention.Recurrence.ApplyDeltaRule(step, gates, a, b, x, run.Values.New(x.Rows, step.ValueHeads * step.ValueSize));
            run.Values.Advance(taken: 3);
        }
    }

    private sealed class NormalizeGated(Norm norm) : BlockOperation
    {
        public override void Run(ref BlockRun run)
        {
            norm.ApplyToHeads(run.Values.Current[0]);
            Silu.Multiply(run.Values.Current[1], run.Values.Current[0], run.Values.Current[0]);
            run.Values.DropSecond();
        }
    }

    private sealed class Gate : BlockOperation
    {
        public override void Run(ref BlockRun run)
        {
            Silu.Multiply(run.Values.Current[0], run.Values.Current[1], run.Values.Current[0]);
            run.Values.DropSecond();
        }

        public override bool TryRunInto(BlockOperation next, ref BlockRun run)
            => next is Project project && project.TryRun(run.Values.Gated.Of(run.Values.Current[0], run.Values.Current[1]), taken: 2, ref run);
    }

    private sealed class Activate(Activation function) : BlockOperation
    {
        public override void Run(ref BlockRun run) => Gelu.Apply(run.Values.Current[0], function);
    }

    private sealed class Add : BlockOperation
    {
        public override void Run(ref BlockRun run)
        {
            Residual.Add(run.Stream, run.Values.Current[0]);
            run.Values.Advance(taken: 1);
        }
    }

    private sealed class Deepstack(int level) : BlockOperation
    {
        public override void Run(ref BlockRun run) => run.Deepstack.AddTo(run.Stream, run.Modalities, level);
    }

    private sealed class JoinStream(int rows) : BlockOperation
    {
        public override void Run(ref BlockRun run) => run.Stream = new Matrix(run.Stream.Rows / rows, checked(run.Stream.Columns * rows), run.Stream.Data);
    }

    private sealed class Join(int rows) : BlockOperation
    {
        public override void Run(ref BlockRun run) => run.Values.JoinRows(rows);
    }

    private sealed class Pool : BlockOperation
    {
        public override void Run(ref BlockRun run)
        {
            var (x, pooled) = (run.Stream, new Matrix(run.Stream.Rows / 2, run.Stream.Columns));
            for (var row = 0; row < pooled.Rows; row++)
            {
                for (var column = 0; column < x.Columns; column++)
                {
                    pooled[row, column] = (x[2 * row, column] + x[(2 * row) + 1, column]) * 0.5f;
                }
            }

            run.Stream = pooled;
        }
    }
}
