using MASQuant.Engine.Layers;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Schemes;

namespace MASQuant.Quantization.Smoothing;

/// <summary>A decoder block as it will be executed once quantized, differentiable in the smoothing factors of its four input groups.</summary>
/// <param name="norms">The gains of both norms.</param>
/// <param name="epsilon">ε of both norms.</param>
/// <param name="attention">The attention between the groups.</param>
/// <param name="groups">The groups, in the order of <see cref="InputGroup"/>.</param>
internal sealed class BlockSimulation(BlockNorms norms, float epsilon, AttentionSimulation attention, IReadOnlyList<ISimulatedGroup> groups)
{
    private Matrix _input = new(0, 0);
    private Matrix _middle = new(0, 0);
    private Matrix _gate = new(0, 0);
    private Matrix _up = new(0, 0);

    private ISimulatedGroup Qkv => groups[(int)InputGroup.Qkv];

    private ISimulatedGroup O => groups[(int)InputGroup.O];

    private ISimulatedGroup GateUp => groups[(int)InputGroup.GateUp];

    private ISimulatedGroup Down => groups[(int)InputGroup.Down];

    /// <summary>The factors of the four groups.</summary>
    public IEnumerable<GroupFactors> Factors => groups.OfType<GroupSimulation>().Select(g => g.Factors);

    /// <summary>Recomputes what depends on the factors alone.</summary>
    public void Refresh()
    {
        foreach (var group in groups.OfType<GroupSimulation>())
        {
            group.Refresh();
        }
    }

    /// <summary>The block's output [T, H] for its input [T, H].</summary>
    public Matrix Forward(Matrix hidden, ModalityMap modalities, RotaryTable rotary)
    {
        _input = hidden;
        var normed = new Matrix(hidden.Rows, hidden.Columns);
        RmsNorm.Apply(hidden, norms.Input, epsilon, normed);
        var qkv = Qkv.Forward(normed, modalities);
        var attended = O.Forward(attention.Forward(qkv[0], qkv[1], qkv[2], rotary), modalities)[0];
        _middle = Sum(hidden, attended);
        RmsNorm.Apply(_middle, norms.PostAttention, epsilon, normed);
        var gateUp = GateUp.Forward(normed, modalities);
        (_gate, _up) = (gateUp[0], gateUp[1]);
        var product = new Matrix(_gate.Rows, _gate.Columns);
        Silu.Multiply(_gate, _up, product);
        return Sum(_middle, Down.Forward(product, modalities)[0]);
    }

    /// <summary>Adds ∂loss/∂factors of the last <see cref="Forward"/> to the groups' gradients and returns ∂loss/∂hidden, given ∂loss/∂output.</summary>
    public Matrix Backward(Matrix outputGradient)
    {
        var product = Down.Backward([outputGradient]);
        var (gate, up) = ThroughSilu(product);
        var middle = Sum(outputGradient, NormGradient.Through(_middle, norms.PostAttention, epsilon, GateUp.Backward([gate, up])));
        var (queries, keys, values) = attention.Backward(O.Backward([middle]));
        return Sum(middle, NormGradient.Through(_input, norms.Input, epsilon, Qkv.Backward([queries, keys, values])));
    }

    private (Matrix Gate, Matrix Up) ThroughSilu(Matrix gradient)
    {
        var gate = new Matrix(gradient.Rows, gradient.Columns);
        var up = new Matrix(gradient.Rows, gradient.Columns);
        Workers.For(gradient.Rows, t =>
        {
            var g = _gate.Row(t);
            var u = _up.Row(t);
            var d = gradient.Row(t);
            for (var j = 0; j < d.Length; j++)
            {
                var sigmoid = 1 / (1 + MathF.Exp(-g[j]));
                gate[t, j] = d[j] * u[j] * sigmoid * (1 + (g[j] * (1 - sigmoid)));
                up[t, j] = d[j] * g[j] * sigmoid;
            }
        });
        return (gate, up);
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
}
