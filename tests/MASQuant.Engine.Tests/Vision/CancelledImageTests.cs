using MASQuant.Engine.Vision.Images;

namespace MASQuant.Engine.Tests.Vision;

/// <summary>Large images are let go between their rows. The last of them cannot be decoded: who reads to the end finds that.</summary>
public class CancelledImageTests
{
    // 64 million pixels, or as many blocks in 16 scans, take far longer on any machine.
    private static readonly TimeSpan Begun = TimeSpan.FromMilliseconds(10);

    [Fact]
    public void A_PNG() => AssertLetGo(PngFiles.Gray(8000, 8000)[..^40]);

    [Fact]
    public void A_progressive_JPEG() => AssertLetGo(JpegFiles.Progressive(4096, 4096, 16));

    // Whoever cancels may come late on a busy machine: then the file, which nobody can read to its end, is read again.
    private static void AssertLetGo(byte[] file)
    {
        using var cancellation = new CancellationTokenSource();
        var late = new Thread(() =>
        {
            Thread.Sleep(Begun);
            cancellation.Cancel();
        });
        late.Start();
        Exception? end = null;
        for (var attempt = 0; attempt < 20 && end is not OperationCanceledException; attempt++)
        {
            end = Record.Exception(() => ImageDecoder.Decode(file, null, cancellationToken: cancellation.Token));
        }

        late.Join();
        Assert.IsType<OperationCanceledException>(end);
        Assert.Throws<MASQuantException>(() => ImageDecoder.Decode(file, null));
    }
}
