using MASQuant.Quantization.Options;
using MASQuant.Tasks;

namespace MASQuant.Build.Tests;

public class ClosestWordTests
{
    [Theory]
    [InlineData("Schme", "Scheme")]
    [InlineData("calibation", "Calibration")]
    [InlineData("Rnak", "Rank")]
    [InlineData("Epoch", "Epochs")]
    [InlineData("RankRation", "RankRatio")]
    public void A_misspelt_word_is_recognized(string text, string word) => Assert.Equal(word, ClosestWord.Of(text, ModelItem.Words));
}
