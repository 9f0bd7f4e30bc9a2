using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Safetensors;
using MASQuant.HardModel;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>The harder model of tools/HardModel computes what omni-tiny computes.</summary>
public sealed class HardModelTests(OmniFixture omni, HardModelFixture hard) : IClassFixture<OmniFixture>, IClassFixture<HardModelFixture>
{
    private static readonly string[] Readers = ["q_proj", "k_proj", "v_proj", "gate_proj", "up_proj"];

    public static TheoryData<string> Cases => ["omni/text", "omni/image", "omni/audio", "omni/image-audio"];

    // Both are the same real function, so they differ by the roundings of FP32 alone, and most where loud channels cancel. After a norm (√28 on vision and audio tokens) a group's constant c is n = c / √28 · 8, 94 for the loudest.
    // Weights that read it have a root mean square of 0.14 at most, so partial sums of a lane (one of 16) are below √(4 · Σn² / 16) · 0.14 = 9 or so. 1024 additions that round by 2⁻²⁴ · 9 / √12 each are off by √1024 times that,
    // 5e-6, where outputs are near 1. The readers behind 12 norms add up to √12 · 5e-6 = 1.7e-5. Measured: 2e-6.
    [Theory]
    [MemberData(nameof(Cases))]
    public void Logits_equal_those_of_omni_tiny_but_for_rounding(string name)
    {
        var prompt = GoldenPrompt.Of(Golden.Load(name));
        var expected = omni.Model.Logits(omni.Model.Prepare(prompt)).Span.ToArray();
        var actual = hard.Model.Logits(hard.Model.Prepare(prompt)).Span.ToArray();

        Assert.Equal(expected.Length, actual.Length);
        var largest = expected.Max(Math.Abs);
        Assert.InRange(expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max() / largest, 0, 2e-5);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_greedy_answer_is_omni_tinys(string name)
    {
        var golden = Golden.Load(name);
        var expected = golden.Integers("greedy");

        Assert.Equal(expected, hard.Model.GenerateTokens(hard.Model.Prepare(GoldenPrompt.Of(golden)), new GenerationOptions { MaxTokens = expected.Length }));
    }

    [Fact]
    public void The_loud_groups_hold_the_energy_of_four_copies_of_the_loud_channels()
    {
        Assert.Equal(4 * ((2 * 60 * 60) + (2 * 0.5 * 0.5)), LoudGroup.All.Sum(group => LoudGroup.Channels * (double)group.Vision * group.Vision));
        Assert.Equal(4 * ((2 * 60 * 60) + (2 * 0.5 * 0.5)), LoudGroup.All.Sum(group => LoudGroup.Channels * (double)group.Audio * group.Audio));
        Assert.Equal(4 * 4, LoudGroup.All.Sum(_ => LoudGroup.Channels * (double)LoudGroup.Text * LoudGroup.Text));
    }

    [Fact]
    public void Every_group_is_read_with_weights_that_differ_and_cancel()
    {
        using var checkpoint = Checkpoint.Open(hard.Folder);
        foreach (var tensor in checkpoint.Tensors.Where(tensor => ReadsTheStream(tensor.Name)))
        {
            var weight = checkpoint.ReadMatrix(tensor.Name, tensor.Shape[0], Widening.Wide);
            foreach (var (_, positions) in new Widening().Loud)
            {
                for (var row = 0; row < weight.Rows; row++)
                {
                    var weights = positions.Select(position => weight[row, position]).ToArray();
                    Assert.Equal(0, weights.Sum());
                    Assert.Equal(4, weights.Select(Math.Abs).Distinct().Count());
                }
            }
        }
    }

    [Fact]
    public void It_is_written_with_the_same_bytes_every_time()
    {
        using var again = new TemporaryDirectory();
        HardCheckpoint.Write(RepositoryFiles.OmniTiny, again.Path);

        foreach (var file in Directory.EnumerateFiles(hard.Folder))
        {
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(Path.Combine(again.Path, Path.GetFileName(file))));
        }
    }

    private static bool ReadsTheStream(string name)
        => name == "lm_head.weight" || (name.StartsWith("model.layers.", StringComparison.Ordinal) && Readers.Any(reader => name.EndsWith(reader + ".weight", StringComparison.Ordinal)));
}
