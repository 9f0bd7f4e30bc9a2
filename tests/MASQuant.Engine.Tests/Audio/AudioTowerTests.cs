using MASQuant.Diagnostics;
using MASQuant.Engine.Audio;
using MASQuant.Engine.Tests.Layers;
using MASQuant.Engine.Tests.Models;
using MASQuant.Engine.Tests.VectorWidth;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Models.Qwen25;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Audio;

public sealed class AudioTowerTests
{
    public static TheoryData<string> Cases => Golden.With("audio_tower");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Tokens_equal_the_reference(string name)
    {
        var golden = Golden.Load(name);
        var clips = new List<Matrix>();
        for (var i = 0; golden.Has($"input_features.{i}"); i++)
        {
            var shape = golden.Shape($"input_features.{i}");
            clips.Add(new Matrix(shape[0], shape[1], golden.Floats($"input_features.{i}")));
        }

        var tokens = Open().Forward(clips);

        GoldenAssert.Near(golden, "audio_tower", tokens);
        Assert.Equal(tokens.Rows, clips.Sum(clip => AudioTower.TokenCount(clip.Columns)));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(3, 1)]
    [InlineData(6, 1)]
    [InlineData(7, 2)]
    public void A_quarter_of_the_frames_remains(int frames, int tokens)
    {
        Assert.Equal(tokens, AudioTower.TokenCount(frames));
        Assert.Equal(tokens, Open().Forward(Clip(frames)).Rows);
    }

    [Fact]
    public void Windows_do_not_see_each_other()
    {
        // Ten windows of 20 frames and a bit, so that the clip is also more than is evaluated at once.
        var tower = Open(halfWindow: 10);
        var whole = tower.Forward(Clip(205));

        Assert.Equal(51, whole.Rows);
        for (var window = 0; window < 11; window++)
        {
            var alone = tower.Forward(Part(Clip(205), 20 * window, Math.Min(20, 205 - (20 * window))));
            Assert.Equal(alone.Span.ToArray(), whole.Span.Slice(5 * window * whole.Columns, alone.Span.Length).ToArray());
        }
    }

    [Fact]
    public void Cancellation_is_reported()
        => Assert.Throws<OperationCanceledException>(() => Open().Forward(Clip(20), new CancellationToken(canceled: true)));

    [Fact]
    public void Other_input_than_the_configurations_is_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>("mel", () => Open().Forward(new Matrix(80, 20)));
        using var source = Checkpoint.Open(RepositoryFiles.OmniTiny);
        var config = ModelConfigReader.Read(source).Audio!;
        Assert.Equal(DiagnosticCodes.TensorMismatch, Assert.Throws<MASQuantException>(() => new AudioTower(source, Qwen25AudioTower.Describe(config with { FeedForwardSize = 500 }))).Code);
        Assert.Equal(DiagnosticCodes.TensorMissing, Assert.Throws<MASQuantException>(() => new AudioTower(source, Qwen25AudioTower.Describe(config with { Layers = 4 }))).Code);
    }

    /// <summary>A hash of the tokens of random sound, for <see cref="VectorWidthTests"/>.</summary>
    internal static string Hash() => ResultHashes.Of(Open(halfWindow: 20).Forward(Clip(50)).Data);

    private static AudioTower Open(int halfWindow = 100)
    {
        using var source = Checkpoint.Open(RepositoryFiles.OmniTiny);
        return new AudioTower(source, Qwen25AudioTower.Describe(ModelConfigReader.Read(source).Audio! with { HalfWindow = halfWindow }));
    }

    private static Matrix Clip(int frames) => new(128, frames, Oracle.Random(128 * frames, 9));

    private static Matrix Part(Matrix mel, int start, int frames)
    {
        var part = new Matrix(mel.Rows, frames);
        for (var bin = 0; bin < mel.Rows; bin++)
        {
            mel.Row(bin).Slice(start, frames).CopyTo(part.Row(bin));
        }

        return part;
    }
}
