using MASQuant.Torch.Algebra;
using static TorchSharp.torch;

namespace MASQuant.Torch.Learning;

/// <summary>V·H by blocks of a power of two: H of i·j rows is the Kronecker product of those of i and of j, so that two small products do.</summary>
internal sealed class Rotation
{
    private readonly int _block;
    private readonly Tensor _outer;
    private readonly Tensor _inner;

    /// <param name="block">A power of two; 0 changes nothing.</param>
    /// <param name="device">Where.</param>
    public Rotation(int block, Device device)
    {
        _block = block;
        var outer = 1;
        while (outer * outer * 4 <= block)
        {
            outer *= 2;
        }

        (_outer, _inner) = (Hadamard(outer, device), Hadamard(Math.Max(1, block / outer), device));
    }

    /// <summary>What it holds.</summary>
    public IEnumerable<Tensor> Tensors => [_outer, _inner];

    /// <summary>Rotates rows.</summary>
    /// <param name="v">[n, K].</param>
    public Tensor Apply(Tensor v)
        => _block == 0 ? v : _outer.matmul(v.reshape(-1, _outer.shape[0], _inner.shape[0])).matmul(_inner).reshape(v.shape);

    private static Tensor Hadamard(int size, Device device)
    {
        var h = ones([1, 1], device: device);
        while (h.shape[0] < size)
        {
            h = cat([cat([h, h], 1), cat([h, -h], 1)], 0).Over(Math.Sqrt(2));
        }

        return h;
    }
}
