using System.Runtime.InteropServices;
using MASQuant.Diagnostics;
using MASQuant.Engine.Tests.Models;

namespace MASQuant.Engine.Tests.Chat;

/// <summary>What a prompt refuses by itself, and how it reads streams.</summary>
public class PromptMediaTests
{
    private static readonly ModelLimits Small = new() { MediumBytes = 100_000 };

    [Theory]
    [InlineData(0, 1, 0)]
    [InlineData(1, 0, 0)]
    [InlineData(-1, -1, 3)]
    [InlineData(int.MinValue, 2, 0)]
    [InlineData(2, 2, 11)]
    [InlineData(2, 2, 13)]
    [InlineData(65536, 65536, 0)] // 3 · 2³², which is 0 in 32 bits.
    [InlineData(1 << 30, 1 << 30, 0)] // 3 · 2⁶⁰
    [InlineData(int.MaxValue, int.MaxValue, 3)] // 3 · (2⁶² − 2³² + 1), which is negative in 64 bits.
    public void An_image_has_the_pixels_of_its_extents(int width, int height, int bytes)
        => Assert.Throws<ArgumentOutOfRangeException>(() => new RgbImage(width, height, new byte[bytes]));

    [Fact]
    public void An_image_is_copied()
    {
        byte[] pixels = [1, 2, 3];
        var prompt = new Prompt().Image(new RgbImage(1, 1, pixels));
        pixels[0] = 9;
        Assert.Equal([1, 2, 3], Assert.IsType<ImagePart>(Assert.Single(Assert.Single(prompt.Messages).Content)).Source.Read()[^3..].ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    public void Sound_needs_a_rate(int rate) => Assert.Throws<ArgumentOutOfRangeException>(() => new Prompt().Audio(new float[16], rate));

    // They are counted before they are looked at: there is one.
    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(1 << 30)]
    [InlineData(1 << 29)]
    public void More_samples_than_a_file_can_hold_are_refused(int count)
    {
        var sample = 0f;
        Assert.Throws<ArgumentOutOfRangeException>(() => new Prompt().Audio(MemoryMarshal.CreateReadOnlySpan(ref sample, count), 16000));
    }

    [Fact]
    public void A_video_part_needs_a_frame_and_a_rate()
    {
        Assert.Throws<ArgumentException>(() => new Prompt().Video(new VideoPart([], 2)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Prompt().Video(new VideoPart([MediaSource.Memory(new byte[1])], double.NaN)));
    }

    // Nobody waits for a pipe's reader any more, which goes on alone until it looks.
    [Fact]
    public void Who_reads_a_pipe_without_end_looks_whether_anybody_waits()
        => Assert.Throws<OperationCanceledException>(() => MediumStream.Read(new MemoryStream(new byte[10]), new ModelLimits(), "pipe", new CancellationToken(canceled: true)));

    [Fact]
    public void A_video_counts_among_the_media_behind_it()
    {
        var parts = new Prompt().Video(new VideoPart([MediaSource.Memory(new byte[1])], 2)).Image(new byte[1]).Messages[0].Content;
        Assert.Equal("image 2", Assert.IsType<ImagePart>(parts[1]).Source.Name);
    }

    [Fact]
    public void What_a_video_says_of_itself_holds_before_what_the_prompt_says()
    {
        var prompt = new Prompt().Pixels(max: 4000, min: 3000).Frames(max: 7, maxPerSecond: 1.5);
        MediaSource[] frames = [MediaSource.Memory(new byte[1])];
        Assert.Equal((3000, 4000, 7, 1.5), Of(new VideoPart(frames, 2)));
        Assert.Equal((30, 40, 3, 0.5), Of(new VideoPart(frames, 2) { MinPixels = 30, MaxPixels = 40, MaxFrames = 3, MaxFramesPerSecond = 0.5 }));

        (int?, int?, int?, double?) Of(VideoPart given)
        {
            var video = Assert.IsType<VideoPart>(prompt.Video(given).Messages[0].Content[^1]);
            return (video.MinPixels, video.MaxPixels, video.MaxFrames, video.MaxFramesPerSecond);
        }
    }

    // Applications read it back; RIFF's size is of what follows it, and a frame of this clip has four bytes.
    [Fact]
    public void Samples_are_a_file_whose_header_is_true()
    {
        var file = MediaSource.Samples([0.5f, -0.25f, 1], 48_000).Read().Span;
        Assert.Equal((file.Length - 8, 48_000, 4 * 48_000, 3 * 4), (BitConverter.ToInt32(file[4..]), BitConverter.ToInt32(file[24..]), BitConverter.ToInt32(file[28..]), BitConverter.ToInt32(file[40..])));
        Assert.Equal([0.5f, -0.25f, 1], MemoryMarshal.Cast<byte, float>(file[44..]).ToArray());
    }

    [Fact]
    public void Media_in_memory_are_named_by_their_places()
    {
        var parts = new Prompt().Image(new byte[1]).Audio(new float[1], 16000).Video(new VideoPart([MediaSource.Memory(new byte[1]), MediaSource.Memory(new byte[1], "mine"), MediaSource.File("c.png")], 2) { Sound = MediaSource.Samples([0], 16000) }).Messages[0].Content;
        var video = Assert.IsType<VideoPart>(parts[2]);
        Assert.Equal(
            ["image 1", "audio 2", "video 3, frame 1", "mine", "c.png", "video 3, sound"],
            [((ImagePart)parts[0]).Source.Name, ((AudioPart)parts[1]).Source.Name, .. video.Frames.Select(frame => frame.Name), video.Sound!.Name]);
    }

    [Fact]
    public async Task A_stream_that_never_ends_is_left_at_the_limit()
    {
        using var image = new DrippingStream(new byte[777], 777, endless: true);
        using var sound = new DrippingStream(new byte[777], 777, endless: true);
        using var pipe = new DrippingStream(new byte[777], 777, endless: true);
        var prompt = new Prompt().Text("a");
        MASQuantException[] errors =
        [
            await Assert.ThrowsAsync<MASQuantException>(() => prompt.ImageAsync(image, Small)),
            await Assert.ThrowsAsync<MASQuantException>(() => prompt.AudioAsync(sound, Small)),
            Assert.Throws<MASQuantException>(() => MediumStream.Read(pipe, Small, "a pipe", default)),
        ];
        Assert.All(errors, error => Assert.Equal(DiagnosticCodes.MediumTooLarge, error.Code));
        Assert.Equal(["image 1", "audio 1", "a pipe"], errors.Select(error => error.File));
        Assert.All([image.Given, sound.Given, pipe.Given], given => Assert.InRange(given, Small.MediumBytes + 1, Small.MediumBytes + 777));
        Assert.Single(Assert.Single(prompt.Messages).Content);
    }

    [Fact]
    public async Task As_many_bytes_as_the_limit_are_read()
    {
        using var stream = new DrippingStream(new byte[100_000], 777);
        var prompt = await new Prompt().ImageAsync(stream, Small);
        Assert.Equal(100_000, Assert.IsType<ImagePart>(Assert.Single(Assert.Single(prompt.Messages).Content)).Source.Read().Length);
    }

    [Fact]
    public async Task What_a_stream_throws_comes_out_and_nothing_is_added()
    {
        var broken = new IOException("The connection is gone.");
        using var stream = new DrippingStream(new byte[10], 1) { Before = given => _ = given == 5 ? throw broken : given };
        var prompt = new Prompt().Text("a");
        Assert.Same(broken, await Assert.ThrowsAsync<IOException>(() => prompt.ImageAsync(stream)));
        Assert.Same(broken, await Assert.ThrowsAsync<IOException>(() => prompt.AudioAsync(stream)));
        Assert.Same(broken, Assert.Throws<IOException>(() => prompt.Image(stream)));
        Assert.Single(Assert.Single(prompt.Messages).Content);
    }

    [Fact]
    public async Task Reading_is_cancelled_and_nothing_is_added()
    {
        using var cancellation = new CancellationTokenSource();
        using var stream = new DrippingStream(new byte[777], 777, endless: true) { Before = given => CancelAt(given, cancellation) };
        var prompt = new Prompt().Text("a");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => prompt.ImageAsync(stream, Small, cancellation.Token));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => prompt.AudioAsync(stream, Small, cancellation.Token));
        Assert.InRange(stream.Given, 0, 10 * 777);
        Assert.Single(Assert.Single(prompt.Messages).Content);

        static void CancelAt(long given, CancellationTokenSource cancellation)
        {
            if (given >= 5 * 777)
            {
                cancellation.Cancel();
            }
        }
    }
}
