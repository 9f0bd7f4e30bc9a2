using System.IO.Compression;
using MASQuant.Diagnostics;
using MASQuant.Engine.Audio.Preprocessing;
using MASQuant.Engine.Tests.Audio;
using MASQuant.Engine.Tests.Vision;
using MASQuant.Engine.Vision.Images;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>Whatever a medium holds: an answer, or a code with the medium's name, which ends that prompt alone.</summary>
public sealed class BrokenMediaTests(OmniFixture omni) : IClassFixture<OmniFixture>
{
    private const int Mutations = 2000;

    public static TheoryData<string> Files => ["jpeg-baseline-420.jpg", "jpeg-progressive-420.jpg", "png-3-4-interlaced.png", "png content", "wav"];

    // zlib's bit for a preset dictionary, which PNG does not have.
    private static byte[] PresetDictionary => PngFiles.Of([0, 0, 0, 8, 0, 0, 0, 8, 8, 0, 0, 0, 0], [0x78, 0x20, 1, 2, 3, 4, 5, 6, 7, 8]);

    [Fact]
    public async Task A_broken_medium_ends_its_prompt_alone()
    {
        Prompt[] prompts =
        [
            new Prompt().Text("?"),
            new Prompt().Image(PresetDictionary),
            new Prompt().Audio(WavFiles.Silence(samples: 160)),
            new Prompt().Image("a\0b.png"),
            new Prompt().Video([Golden.Load("omni/image").Files[0]], 1e-300),
            new Prompt(),
            new Prompt().Text("?"),
        ];
        var last = new Dictionary<int, BatchPiece>();
        await foreach (var piece in omni.Model.GenerateBatchAsync(prompts, new GenerationOptions { MaxTokens = 2 }))
        {
            last[piece.Prompt] = piece;
        }

        Assert.Equal(
            [null, DiagnosticCodes.ImageCorrupt, DiagnosticCodes.AudioCorrupt, DiagnosticCodes.FileNotReadable, DiagnosticCodes.ImageShapeNotSupported, DiagnosticCodes.PromptUnusable, null],
            Enumerable.Range(0, prompts.Length).Select(i => last[i].Error?.Code));
        Assert.Equal(["image 1", "audio 1", "a\0b.png"], Enumerable.Range(1, 3).Select(i => last[i].Error!.File));
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(1e-300)]
    public void A_video_of_an_impossible_rate_is_refused(double framesPerSecond)
    {
        var video = new VideoPart([MediaSource.File(Golden.Load("omni/image").Files[0])], framesPerSecond);
        AssertRefused(video);
    }

    [Fact]
    public void A_video_without_frames_is_refused() => AssertRefused(new VideoPart([], 2));

    [Theory]
    [MemberData(nameof(Files))]
    public void Mutated_files_are_read_or_refused(string name)
    {
        var original = name switch
        {
            "wav" => WavFiles.Silence(samples: 400),
            "png content" => Compressed(9 * 8),
            _ => ImageFixture.Read(name),
        };
        var random = new Random(17);
        var refused = 0;
        for (var mutation = 0; mutation < Mutations; mutation++)
        {
            var file = original[..random.Next(original.Length / 2, original.Length + 1)];
            for (var change = random.Next(1, 4); change > 0; change--)
            {
                file[random.Next(Math.Min(file.Length, mutation % 2 == 0 ? 64 : file.Length))] = (byte)random.Next(256);
            }

            // Behind right CRCs.
            file = name == "png content" ? PngFiles.Of([0, 0, 0, 8, 0, 0, 0, 8, 8, 0, 0, 0, 0], file) : file;
            try
            {
                _ = name == "wav" ? AudioDecoder.CountSamples(file, name) + AudioDecoder.Decode(file, name).Length : ImageDecoder.ReadExtents(file, name).Width + ImageDecoder.Decode(file, name).Width;
            }
            catch (MASQuantException error)
            {
                Assert.Equal(name, error.File);
                refused++;
            }
        }

        Assert.InRange(refused, Mutations / 4, Mutations);
    }

    private static byte[] Compressed(int bytes)
    {
        using var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.NoCompression, leaveOpen: true))
        {
            zlib.Write(new byte[bytes]);
        }

        return data.ToArray();
    }

    private void AssertRefused(VideoPart video)
        => Assert.Equal(DiagnosticCodes.ImageShapeNotSupported, Assert.Throws<MASQuantException>(() => omni.Model.Prepare([new ChatMessage(ChatRole.User, [video])])).Code);
}
