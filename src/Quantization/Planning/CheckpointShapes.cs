using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Quantization.Planning;

/// <summary>The decoder's linear layers as the safetensors headers have them; no weight is read.</summary>
public static class CheckpointShapes
{
    /// <summary>Every layer of every block with its extents by the headers.</summary>
    /// <param name="source">The checkpoint.</param>
    /// <param name="decoder">What the configuration calls for.</param>
    /// <exception cref="MASQuantException">MASQ0107 a layer is missing, MASQ0108 it has another shape than the configuration calls for, or a type that cannot be read.</exception>
    public static IReadOnlyList<(int Layer, DecoderLinear Linear, TensorInfo Tensor)> Read(ITensorSource source, DecoderDescription decoder)
    {
        var found = new List<(int, DecoderLinear, TensorInfo)>();
        foreach (var (layer, block) in decoder.Blocks.Index())
        {
            foreach (var linear in block.Linears)
            {
                var tensor = source.Find($"{block.Prefix}{linear.Name}.weight");
                if (tensor.Shape is not [var outputs, var inputs] || (outputs, inputs) != (linear.Outputs, linear.Inputs))
                {
                    throw TensorReading.ShapeMismatch(source, tensor, linear.Outputs, linear.Inputs);
                }

                source.RequireReadable(tensor);

                found.Add((layer, linear with { Outputs = outputs, Inputs = inputs }, tensor));
            }
        }

        return found;
    }
}
