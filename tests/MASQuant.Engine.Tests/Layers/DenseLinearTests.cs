using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Layers;

public sealed class DenseLinearTests : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(DataType.BF16)]
    [InlineData(DataType.F32)]
    public void Fused_layers_equal_their_parts(DataType type)
    {
        // Multiples of 1/8 below 1 are exact in BF16, and so are all products and sums here.
        const int Outputs = 5, Inputs = 3, Parts = 3;
        var weights = Eighths(Parts * Outputs * Inputs, 1);
        var biases = Eighths(Parts * Outputs, 2);
        var x = new Matrix(2, Inputs, Eighths(2 * Inputs, 3));
        SafetensorsWriter.Write(_folder.File("m"), [Payload(type, "qkv.bias", biases, Parts * Outputs), Payload(type, "qkv.weight", weights, Parts * Outputs, Inputs)]);
        using var source = SafetensorsFile.Open(_folder.File("m"));

        var layers = DenseLinear.ReadFused(source, "qkv", [.. Enumerable.Range(0, Parts).Select(part => new LinearDescription($"part {part}", Outputs, Inputs))]);

        for (var part = 0; part < Parts; part++)
        {
            var y = layers[part].Forward(x);
            for (var row = 0; row < x.Rows; row++)
            {
                for (var n = 0; n < Outputs; n++)
                {
                    var output = (part * Outputs) + n;
                    Assert.Equal(biases[output] + Enumerable.Range(0, Inputs).Sum(k => x[row, k] * weights[(output * Inputs) + k]), y[row, n]);
                }
            }
        }
    }

    private static TensorPayload Payload(DataType type, string name, float[] values, params int[] shape)
        => type == DataType.BF16 ? TensorPayload.OfBFloat16(name, values, shape) : TensorPayload.OfFloats(name, values, shape);

    private static float[] Eighths(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(-7, 8) / 8f)];
    }
}
