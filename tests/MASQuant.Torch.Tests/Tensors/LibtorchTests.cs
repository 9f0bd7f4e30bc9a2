using MASQuant.Diagnostics;
using MASQuant.TorchSharp;

namespace MASQuant.Torch.Tests.Tensors;

public class LibtorchTests
{
    /// <summary>Where libtorch is there and the system does not load it, the system's own reason is told, before TorchSharp blames a package.</summary>
    [Fact]
    public void What_keeps_libtorch_from_being_loaded_is_told()
    {
        if (TorchFactAttribute.Reason.Value is not { } reason)
        {
            using var tensor = new Matrix(1, 1).ToTensor();
            Assert.Equal([1, 1], tensor.shape);
            return;
        }

        var error = Assert.Throws<MASQuantException>(() => new Matrix(1, 1).ToTensor());
        Assert.Equal(DiagnosticCodes.ComputeLibraryNotLoadable, error.Code);
        Assert.StartsWith("MASQuant.TorchSharp needs libtorch, but ", error.Description, StringComparison.Ordinal);
        Assert.Equal(reason.Contains("GLIBC", StringComparison.Ordinal), error.Description.Contains("Debian 13", StringComparison.Ordinal));
    }
}
