using System.Globalization;
using MASQuant.Runtime;

namespace MASQuant.Engine.Tests.Lifetime;

/// <summary>Disposes models at random moments of what they do on other threads. A mistake ends the process, so it has one of its own.</summary>
internal static class DisposalRun
{
    private const int Threads = 4;

    private static readonly GenerationOptions Endless = new() { MaxTokens = 4000, StopTokens = [], Temperature = 1 };

    private static Prompt Ask => new Prompt().Text("Quote a verse.");

    /// <summary>Prints how many disposals there were, and how many of them ended something.</summary>
    /// <param name="artifact">The model.</param>
    /// <param name="count">Disposals in all.</param>
    public static void Run(string artifact, int count)
    {
        var ended = 0;
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(thread => new Thread(() =>
        {
            for (var round = thread; round < count; round += Threads)
            {
                Interlocked.Add(ref ended, Dispose(artifact, new Random(round), round));
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} {ended}"));
    }

    private static int Dispose(string artifact, Random random, int round)
    {
        var model = MultimodalModel.Load(artifact);
        using var begun = new ManualResetEventSlim();
        var users = ((Action[])[() => Sync(model, begun), () => Stream(model, begun), () => Batch(model, begun), () => BatchStream(model, begun), () => Layer(model, begun)])
            .Where((_, i) => i == round % 5 || random.Next(8) == 0)
            .Select(user => Task.Factory.StartNew(() => IsEnded(user), TaskCreationOptions.LongRunning))
            .ToArray();
        if (random.Next(2) == 0)
        {
            begun.Wait();
        }

        Thread.SpinWait(random.Next(20_000));
        var second = Task.Run(random.Next(2) == 0 ? model.Dispose : () => { });
        model.Dispose();
        second.Wait();
        return users.Count(user => user.Result);
    }

    /// <summary>Whether the model's end ended it: nothing else may.</summary>
    private static bool IsEnded(Action use)
    {
        try
        {
            use();
            return false;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    private static void Sync(MultimodalModel model, ManualResetEventSlim begun)
    {
        foreach (var piece in model.Generate(Ask, Endless))
        {
            begun.Set();
        }
    }

    private static void Stream(MultimodalModel model, ManualResetEventSlim begun)
    {
        Read().GetAwaiter().GetResult();

        async Task Read()
        {
            await foreach (var piece in model.GenerateAsync(Ask, Endless))
            {
                begun.Set();
            }
        }
    }

    private static void BatchStream(MultimodalModel model, ManualResetEventSlim begun)
    {
        Read().GetAwaiter().GetResult();

        async Task Read()
        {
            await foreach (var piece in model.GenerateBatchAsync([Ask, Ask], Endless))
            {
                begun.Set();
            }
        }
    }

    private static void Batch(MultimodalModel model, ManualResetEventSlim begun) => model.GenerateBatch(Begun(begun), Endless);

    private static IEnumerable<Prompt> Begun(ManualResetEventSlim begun)
    {
        yield return Ask;
        begun.Set();
        yield return Ask;
    }

    private static void Layer(MultimodalModel model, ManualResetEventSlim begun)
    {
        var scheme = QuantizationScheme.W4A8;
        var (x, y) = (new Matrix(8, LayerShape.Inputs), new Matrix(8, LayerShape.Outputs));
        while (true)
        {
            using var layer = new LayerLoader(0, "mlp.down_proj", LayerShape.Outputs, LayerShape.Inputs, scheme, 3, 5).Load(model.Artifact!);
            layer.Forward(x, ModalityMap.Text(8), y);
            begun.Set();
        }
    }

    /// <summary>vl-tiny's last linear layer.</summary>
    private static class LayerShape
    {
        public const int Outputs = 128;
        public const int Inputs = 256;
    }
}
