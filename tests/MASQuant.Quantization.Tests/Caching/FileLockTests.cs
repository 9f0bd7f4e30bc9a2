using MASQuant.Delivery.Locks;
using MASQuant.Diagnostics;
using MASQuant.Tests;

namespace MASQuant.Quantization.Tests.Caching;

public class FileLockTests
{
    [Fact]
    public void A_lock_that_somebody_holds_is_waited_for()
    {
        using var folder = new TemporaryDirectory();
        var file = folder.File("locks/a");
        using var source = new CancellationTokenSource();
        using (FileLock.Take(file, null, CancellationToken.None))
        {
            Assert.Null(FileLock.TryTake(file));
            var waits = 0;
            Assert.Throws<OperationCanceledException>(() => FileLock.Take(file, () =>
            {
                waits++;
                source.Cancel();
            }, source.Token));
            Assert.Equal(1, waits);
        }

        FileLock.Take(file, () => Assert.Fail("Nobody holds it."), CancellationToken.None).Dispose();
    }

    /// <summary>Waiting for a file that nobody will ever free would hang a build.</summary>
    [Theory]
    [InlineData("file/lock")]
    [InlineData("folder")]
    public void A_lock_that_cannot_be_taken_is_an_error_at_once(string name)
    {
        using var folder = new TemporaryDirectory();
        File.WriteAllText(folder.File("file"), "");
        Directory.CreateDirectory(folder.File("folder"));
        var error = Assert.Throws<MASQuantException>(() => FileLock.Take(folder.File(name), () => Assert.Fail("There is nothing to wait for."), CancellationToken.None));
        Assert.Equal((DiagnosticCodes.FileNotWritable, folder.File(name)), (error.Code, error.File));
    }
}
