using MASQuant.Evaluation.Reports;
using MASQuant.Evaluation.Scores;

namespace MASQuant.Quantization.Tests.Evaluation;

public class EvaluationTests
{
    [Fact]
    public void Divergence_is_the_textbook_sum()
    {
        // p = (1/2, 1/4, 1/4), q = (1/4, 1/2, 1/4): KL = ½·log 2 + ¼·log ½ = ¼·log 2.
        var divergence = new TokenDivergence();
        divergence.Add([MathF.Log(2), 0, 0], [5, 5 + MathF.Log(2), 5], next: 1);
        divergence.Add([3, 1], [7, 5], next: 0);

        // Logits are FP32: log 2 is off by at most 2⁻²⁵, 5 + log 2 by 2⁻²², and q's probabilities by as much.
        Assert.Equal(Math.Log(2) / 4, divergence.KullbackLeibler, 1e-6);
        Assert.Equal(Math.Log(2) + Math.Log(1 + Math.Exp(-2)), divergence.NegativeLogLikelihood, 1e-6);
        Assert.Equal(1, divergence.Agreements);
        Assert.Equal(2, divergence.Tokens);
    }

    [Fact]
    public void Divergence_is_weighed_by_the_reference()
    {
        // p = (1/2, 1/4, 1/4), q = (4/5, 1/10, 1/10): KL(p‖q) = ½·log 5/8 + ½·log 5/2; the other way round it is 4/5·log 8/5 + 1/5·log 2/5.
        var divergence = new TokenDivergence();
        divergence.Add([MathF.Log(2), 0, 0], [MathF.Log(8), 0, 0], next: 0);
        Assert.Equal((Math.Log(5.0 / 8) + Math.Log(5.0 / 2)) / 2, divergence.KullbackLeibler, 1e-6);
    }

    [Theory]
    [InlineData(1.0, "")]
    [InlineData(1.2, "")]
    [InlineData(0.79, "†")]
    [InlineData(1.21, "†")]
    public void A_score_outside_the_references_interval_is_marked(double value, string mark)
    {
        var figure = new Figure(new Estimate(value, value - 1, value + 1), new Estimate(1, 0.8, 1.2), new Estimate(value - 1, 0, 0));
        Assert.Equal(mark.Length == 0, figure.WithinReference);
        Assert.EndsWith(mark.Length == 0 ? " " : mark, EvaluationTables.Score(figure), StringComparison.Ordinal);
        Assert.EndsWith(mark.Length == 0 ? " " : mark, EvaluationTables.Perplexity(figure), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a b c", "a b c", 0, 1)]
    [InlineData("a x c", "a b c", 1, 0)]
    [InlineData("a c", "a b c", 1, 0)]
    [InlineData("a b b c", "a b c", 1, 0)]
    [InlineData("", "a b c", 3, 0)]
    [InlineData(" a  b\nc ", "a b c", 0, 1)]
    [InlineData("c b a", "a b c", 2, 0)]
    public void Word_errors_are_the_edit_distance(string answer, string expected, int errors, int exact)
    {
        var score = new AnswerScore();
        score.Add(answer, expected);
        Assert.Equal(errors, score.WordErrors);
        Assert.Equal(3, score.Words);
        Assert.Equal(exact, score.Exact);
    }
}
