using MASQuant.Engine.Layers;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Models;

namespace MASQuant.Quantization.Smoothing;

/// <summary>A step of a block that gradients pass through. It keeps of a forward pass what its gradient needs.</summary>
internal abstract class SimulatedStep
{
    /// <summary>Takes values and puts results in their place.</summary>
    public abstract void Forward(SimulatedRun run);

    /// <summary>Takes ∂loss/∂results of the last <see cref="Forward"/> and puts ∂loss/∂values in their place.</summary>
    public abstract void Backward(SimulatedRun run);

    /// <summary>Binds steps to what they need, in their order.</summary>
    /// <exception cref="NotSupportedException">The gradient of a step is not known.</exception>
    public static SimulatedStep[] Bind(IReadOnlyList<BlockStep> steps, IEnumerable<Norm> norms, IEnumerable<ISimulatedGroup> groups, IEnumerable<float[]> parameters)
    {
        var (norm, group, parameter) = (new Queue<Norm>(norms), new Queue<ISimulatedGroup>(groups), new Queue<float[]>(parameters));
        return [.. steps.Select(step => (SimulatedStep)(step switch
        {
            NormalizeStep { Norm.Kind: NormKind.RootMeanSquare } => new Normalize(norm.Dequeue()),
            ProjectStep project => new Project(group.Dequeue(), project.Linears.Count),
            NormalizeHeadsStep { Queries.Kind: NormKind.RootMeanSquare, Keys.Kind: NormKind.RootMeanSquare } => new NormalizeHeads(norm.Dequeue(), norm.Dequeue()),
            RotateStep => new Rotate(),
            AttendStep attend => new AttentionSimulation(attend.Heads, attend.KeyValueHeads, attend.HeadSize),
            SplitGatesStep split => new SplitGatesSimulation(split),
            GateOutputStep => new GateOutputSimulation(),
            ConvolveStep convolve => new ConvolutionSimulation(convolve, parameter.Dequeue()),
            DeltaRuleStep delta => new DeltaRuleSimulation(delta, parameter.Dequeue(), parameter.Dequeue()),
            NormalizeGatedStep { Norm.Kind: NormKind.RootMeanSquare } => new GatedNormSimulation(norm.Dequeue()),
            GateStep => new Gate(),
            AddStep => new Add(),
            DeepstackStep deepstack => new Deepstack(deepstack.Level),
            _ => throw step.Unknown("the simulation for gradients"),
        }))];
    }

    private static Matrix Sum(Matrix a, Matrix b)
    {
        var sum = new Matrix(a.Rows, a.Columns);
        for (var i = 0; i < sum.Span.Length; i++)
        {
            sum.Span[i] = a.Span[i] + b.Span[i];
        }

        return sum;
    }

    private sealed class Normalize(Norm norm) : SimulatedStep
    {
        private Matrix _input = new(0, 0);

        public override void Forward(SimulatedRun run)
        {
            _input = run.Stream;
            var normed = new Matrix(_input.Rows, _input.Columns);
            norm.Apply(_input, normed);
            run.Put(normed);
        }

        public override void Backward(SimulatedRun run)
            => run.Stream = Sum(run.Stream, NormGradient.Through(_input, norm, run.Take()));
    }

    private sealed class NormalizeHeads(Norm queries, Norm keys) : SimulatedStep
    {
        private Matrix[] _inputs = [];

        public override void Forward(SimulatedRun run)
        {
            _inputs = run.Take(2);
            var (q, k) = (_inputs[0].Copy(), _inputs[1].Copy());
            queries.ApplyToHeads(q);
            keys.ApplyToHeads(k);
            run.Put(q, k);
        }

        public override void Backward(SimulatedRun run)
        {
            var gradients = run.Take(2);
            run.Put(NormGradient.ThroughHeads(_inputs[0], queries, gradients[0]), NormGradient.ThroughHeads(_inputs[1], keys, gradients[1]));
        }
    }

    private sealed class Project(ISimulatedGroup layers, int outputs) : SimulatedStep
    {
        public override void Forward(SimulatedRun run) => run.Put(layers.Forward(run.Take(), run.Modalities));

        public override void Backward(SimulatedRun run) => run.Put(layers.Backward(run.Take(outputs)));
    }

    private sealed class Rotate : SimulatedStep
    {
        public override void Forward(SimulatedRun run)
        {
            run.Rotary.Rotate(run.Values[0]);
            run.Rotary.Rotate(run.Values[1]);
        }

        public override void Backward(SimulatedRun run)
        {
            run.Rotary.RotateBack(run.Values[0]);
            run.Rotary.RotateBack(run.Values[1]);
        }
    }

    private sealed class Gate : SimulatedStep
    {
        private Matrix _gate = new(0, 0);
        private Matrix _up = new(0, 0);

        public override void Forward(SimulatedRun run)
        {
            (_gate, _up) = (run.Take(), run.Take());
            var product = new Matrix(_gate.Rows, _gate.Columns);
            Silu.Multiply(_gate, _up, product);
            run.Put(product);
        }

        public override void Backward(SimulatedRun run)
        {
            var gradient = run.Take();
            var gate = new Matrix(gradient.Rows, gradient.Columns);
            var up = new Matrix(gradient.Rows, gradient.Columns);
            Workers.For(gradient.Rows, t =>
            {
                var g = _gate.Row(t);
                var u = _up.Row(t);
                var d = gradient.Row(t);
                for (var j = 0; j < d.Length; j++)
                {
                    var sigmoid = 1 / (1 + (float)Elementary.Exp(-g[j]));
                    gate[t, j] = d[j] * u[j] * sigmoid * (1 + (g[j] * (1 - sigmoid)));
                    up[t, j] = d[j] * g[j] * sigmoid;
                }
            });
            run.Put(gate, up);
        }
    }

    private sealed class Add : SimulatedStep
    {
        public override void Forward(SimulatedRun run) => run.Stream = Sum(run.Stream, run.Take());

        public override void Backward(SimulatedRun run) => run.Put(run.Stream);
    }

    // What is added depends on no factor, and the stream's gradient passes.
    private sealed class Deepstack(int level) : SimulatedStep
    {
        public override void Forward(SimulatedRun run)
        {
            run.Stream = run.Stream.Copy();
            run.Deepstack.AddTo(run.Stream, run.Modalities, level);
        }

        public override void Backward(SimulatedRun run)
        {
        }
    }
}
