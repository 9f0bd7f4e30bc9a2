using MASQuant.Engine.Generation;

namespace MASQuant.Engine.Tests.Generation;

public sealed class SequenceTests
{
    // The model was done; that its positions are full changes nothing.
    [Theory]
    [InlineData(7, EndReason.StopToken)]
    [InlineData(8, EndReason.Length)]
    public void An_answer_that_has_ended_is_not_ended_again_by_its_length(int token, EndReason end)
    {
        var sequence = new Sequence(0, new GenerationOptions(), [7]);
        sequence.Add(token);
        sequence.Fill();
        Assert.Equal(end, sequence.End);
    }

    [Fact]
    public void An_answer_that_has_failed_is_not_ended_by_its_length()
    {
        var sequence = new Sequence(0, new GenerationOptions(), []);
        sequence.Fail(new MASQuantException("MASQ0000", null, "no"));
        sequence.Fill();
        Assert.Equal(EndReason.Failed, sequence.End);
    }
}
