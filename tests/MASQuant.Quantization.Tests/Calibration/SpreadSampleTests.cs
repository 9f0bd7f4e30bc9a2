using MASQuant.Engine.Layers;
using MASQuant.Formats.Models;
using MASQuant.Quantization.Calibration;

namespace MASQuant.Quantization.Tests.Calibration;

public class SpreadSampleTests
{
    [Fact]
    public void A_set_within_the_budget_is_taken_whole()
    {
        var set = Set(8, length: 10);
        Assert.Same(set, SpreadSample.OfTokens(set, 80));
    }

    [Fact]
    public void A_larger_set_gives_as_much_as_the_budget_from_all_over_it()
    {
        var set = Set(8, length: 10);
        Assert.Equal([0, 2, 4, 6], SpreadSample.OfTokens(set, 40).Select(sequence => Place(set, sequence)));
        Assert.Single(SpreadSample.OfTokens(set, 1));
    }

    [Fact]
    public void No_modality_is_left_out()
    {
        var set = Set(8, length: 10, (3, Modality.Audio), (5, Modality.Vision));
        Assert.Equal([0, 4, 5, 3], SpreadSample.Of(set, 2).Select(sequence => Place(set, sequence)));
    }

    private static int Place(CalibrationSequence[] set, CalibrationSequence sequence) => Array.IndexOf(set, sequence);

    private static CalibrationSequence[] Set(int count, int length, params (int Place, Modality Modality)[] media) => [.. Enumerable.Range(0, count).Select(i => new CalibrationSequence
    {
        Modalities = new ModalityMap([.. Enumerable.Repeat(media.FirstOrDefault(medium => medium.Place == i).Modality, length)]),
        Rotary = new RotaryTable(new RotaryDescription(2, 1, [1, 0, 0])),
        Exact = new Matrix(length, 1),
        Quantized = new Matrix(length, 1),
    })];
}
