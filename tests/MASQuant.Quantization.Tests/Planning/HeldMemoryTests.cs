using System.Globalization;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Planning;

[Trait("Lane", "slow")]
public class HeldMemoryTests
{
    /// <summary>The plan counts every matrix of the worst moment, of which one of K × K is a quarter: one more kept alive exceeds it. Below the plan lie the sequences under way, which it takes at their longest, an eighth of it here, and the products' buffers, which it takes at their largest.</summary>
    [Theory]
    [InlineData(2048, 0)]
    [InlineData(1536, 1)]
    public void No_more_is_in_use_at_once_than_planned(int intermediate, int alternations)
    {
        var figures = TestProcess.Output(["held-memory", intermediate.ToString(CultureInfo.InvariantCulture), alternations.ToString(CultureInfo.InvariantCulture)]).Trim(' ', '(', ')', '\n', '\r').Split(',');
        var (held, planned) = (long.Parse(figures[0], CultureInfo.InvariantCulture), long.Parse(figures[1], CultureInfo.InvariantCulture));
        Assert.InRange(held, 0.8 * planned, planned);
    }
}
