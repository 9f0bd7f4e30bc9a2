using System.Runtime.InteropServices;
using TorchSharp;

namespace MASQuant.TorchSharp;

/// <summary>Tensors as rows of FP32 values in memory.</summary>
internal static class TensorRows
{
    /// <summary>A tensor whose values lie row after row in FP32: another handle of <paramref name="tensor"/>'s memory where they lie so, else a copy. Whoever disposes <paramref name="tensor"/> meanwhile frees nothing.</summary>
    /// <exception cref="ArgumentException">It is no dense tensor of FP32, BF16 or FP16 on the processor, or has no dimension, or more values than can be read at once.</exception>
    public static torch.Tensor Of(torch.Tensor tensor, string argument)
    {
        if (tensor.device_type != DeviceType.CPU)
        {
            throw new ArgumentException($"The tensor lies on {tensor.device_type}; MASQuant computes on the processor: hand on its cpu().", argument);
        }

        if (tensor.dtype is not (torch.ScalarType.Float32 or torch.ScalarType.BFloat16 or torch.ScalarType.Float16) || tensor.is_sparse)
        {
            throw new ArgumentException($"The tensor is {(tensor.is_sparse ? "sparse " : "")}{tensor.dtype}; dense Float32, BFloat16 or Float16 is needed.", argument);
        }

        if (tensor.ndim == 0)
        {
            throw new ArgumentException("The tensor has no dimension.", argument);
        }

        RequireSpan(tensor.numel(), argument);
        using var single = tensor.to_type(torch.ScalarType.Float32);
        using var positive = single.resolve_neg(); // a view may say of its values that they are negated
        return positive.contiguous();
    }

    /// <summary>The values of a tensor that <see cref="Of"/> has given, or of a new one: its memory, for as long as it lives.</summary>
    public static Span<float> Values(torch.Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);

    /// <summary>Refuses more values than TorchSharp shows at once.</summary>
    public static void RequireSpan(long values, string argument)
    {
        if (values > int.MaxValue / sizeof(float))
        {
            throw new ArgumentException($"{values} values are more than 2 GiB: hand on fewer rows at once.", argument);
        }
    }
}
