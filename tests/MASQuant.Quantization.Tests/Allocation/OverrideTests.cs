using MASQuant.Diagnostics;
using MASQuant.Formats.Models;
using MASQuant.Formats.Schemes;
using MASQuant.Quantization.Options;
using MASQuant.Quantization.Tests.Pipeline;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Allocation;

public class OverrideTests
{
    private static readonly DecoderLinear Up = new("mlp.up_proj", InputGroup.GateUp, 64, 64);
    private static readonly DecoderLinear Gate = new("linear_attn.in_proj_z", InputGroup.Qkv, 64, 64);
    private static readonly DecoderLinear Down = new("mlp.down_proj", InputGroup.Down, 64, 64);

    [Theory]
    [InlineData("0,5:W8A8 *.Down:w8a8", "0,5,*.Down:W8A8")]
    [InlineData("  1-2.gateup:W4A6   1:W4A16 ", "1-2.GateUp:W4A6 1:W4A16")]
    [InlineData("", "")]
    public void Schemes_are_read_and_written(string text, string written)
    {
        Assert.True(LayerSchemes.TryParse(text, out var schemes, out _));
        Assert.Equal(written, schemes.ToString());
        Assert.True(LayerSchemes.TryParse(written, out var again, out _));
        Assert.Equal(schemes, again);
    }

    [Fact]
    public void The_last_entry_that_names_a_place_wins()
    {
        Assert.True(LayerSchemes.TryParse("*:W8A8 2-3:W4A8 3.Down:W4A6", out var schemes, out _));
        Assert.Equal([QuantizationScheme.W8A8, QuantizationScheme.W4A8, QuantizationScheme.W4A8, QuantizationScheme.W4A6, QuantizationScheme.W8A8],
            new[] { schemes.For(1, InputGroup.Down), schemes.For(2, InputGroup.Down), schemes.For(3, InputGroup.Qkv), schemes.For(3, InputGroup.Down), schemes.For(99, InputGroup.O) }.Select(scheme => scheme!.Value));
        Assert.True(LayerSchemes.TryParse("1.O:W8A8", out var one, out _));
        Assert.Null(one.For(1, InputGroup.Qkv));
        Assert.Null(one.For(0, InputGroup.O));
    }

    [Fact]
    public void Schemes_of_blocks_and_groups_are_told_in_few_words()
    {
        var (low, high) = (QuantizationScheme.W4A8, QuantizationScheme.W8A8);
        var schemes = LayerSchemes.Of(low, [[low, low, low, low], [high, high, high, high], [low, low, low, high]]);
        Assert.Equal("1,2.Down:W8A8", schemes.ToString());
    }

    [Fact]
    public void Ranks_are_given_by_linear_layer_and_modality()
    {
        Assert.True(LayerRanks.TryParse("*:8 2.gateup:3 1.DOWN_PROJ:32 1.down_proj.audio,0.Vision:0", out var ranks, out _));
        Assert.Equal("*:8 2.GateUp:3 1.down_proj:32 1.down_proj.Audio,0.Vision:0", ranks.ToString());
        Assert.Equal([8, 0, 32, 0, 8, 3], new[]
        {
            ranks.For(0, Up, Modality.Audio), ranks.For(0, Up, Modality.Vision),
            ranks.For(1, Down, Modality.Vision), ranks.For(1, Down, Modality.Audio), ranks.For(1, Up, Modality.Audio), ranks.For(2, Up, Modality.Vision),
        }.Select(rank => rank!.Value));
        Assert.True(LayerRanks.TryParse("*:8 *.in_proj_z:4", out var ofStates, out _));
        Assert.Equal((4, 8), (ofStates.For(0, Gate, Modality.Vision), ofStates.For(0, Up, Modality.Vision)));
    }

    /// <summary>A scheme that there is not, and the refusal, which lists those that there are.</summary>
    public static TheoryData<string, string, string> UnknownScheme => new() { { "LayerSchemes", "0:W5A8", $"'W5A8' is no scheme; schemes are {string.Join(", ", QuantizationScheme.All)}" } };

    [Theory]
    [MemberData(nameof(UnknownScheme))]
    [InlineData("LayerSchemes", "0.Dwon:W8A8", "'0.Dwon' is no place; behind the block may stand .Qkv, .O, .GateUp, .Down")]
    [InlineData("LayerSchemes", "0.1:W8A8", "'0.1' is no place")]
    [InlineData("LayerSchemes", "0.Down.Vision:W8A8", "'0.Down.Vision' is no place")]
    [InlineData("LayerSchemes", "5-3:W8A8", "'5-3' in '5-3:W8A8' is no block; a block is a number from 0, a range such as 0-5, or *")]
    [InlineData("LayerSchemes", "-1:W8A8", "'-1' in '-1:W8A8' is no block")]
    [InlineData("LayerSchemes", "99999999999:W8A8", "'99999999999' in '99999999999:W8A8' is no block")]
    [InlineData("LayerSchemes", ",:W8A8", "'' in ',:W8A8' is no block")]
    [InlineData("LayerSchemes", "W8A8", "'W8A8' is not PLACE:VALUE")]
    [InlineData("LayerRanks", "0:-1", "'-1' is no rank; ranks are 0…4096")]
    [InlineData("LayerRanks", "0:4097", "'4097' is no rank")]
    [InlineData("LayerRanks", "0.Text:4", "'0.Text' is no place; behind the block may stand .Qkv, .O, .GateUp, .Down, .q_proj, .k_proj, .v_proj, .o_proj, .in_proj_qkv, .in_proj_z, .out_proj, .gate_proj, .up_proj, .down_proj, then .Vision or .Audio")]
    [InlineData("LayerRanks", "0.Vision.q_proj:4", "'0.Vision.q_proj' is no place")]
    public void A_wrong_override_is_told_with_what_is_allowed(string word, string text, string problem)
    {
        var error = Assert.Throws<MASQuantException>(() => OptionTable.Read(new Dictionary<string, string> { [word] = text }, "App.csproj"));
        Assert.Equal(DiagnosticCodes.OptionNotAllowed, error.Code);
        Assert.Contains($"{word}='{text}' is not allowed. {problem}", error.Message, StringComparison.Ordinal);
        Assert.Contains("Allowed: empty, or PLACE[,PLACE]:", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("LayerSchemes", "3:W8A8", "3")]
    [InlineData("LayerRanks", "1-7.q_proj:2", "1-7")]
    public void A_block_that_the_model_lacks_is_refused_before_any_work(string word, string text, string place)
    {
        using var folder = new TemporaryDirectory();
        var job = TinyRun.Job(folder.Path, OptionTable.Read(new Dictionary<string, string> { [word] = text }));
        var error = Assert.Throws<MASQuantException>(() => QuantizationPipeline.Run(job));
        Assert.Equal(DiagnosticCodes.BlockNotThere, error.Code);
        Assert.Contains($"{word} names block {place}; the model has blocks 0…2.", error.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(job.WorkFolder));
    }
}
