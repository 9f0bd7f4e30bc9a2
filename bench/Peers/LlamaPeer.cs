using LLama;
using LLama.Common;
using LLama.Native;

namespace MASQuant.Peers;

/// <summary>llama.cpp as LLamaSharp's package brings it: its best build has AVX-512, without VNNI, BF16 or AMX.</summary>
internal sealed class LlamaPeer : IPeer
{
    private readonly LLamaWeights _weights;
    private readonly LLamaContext _context;
    private int _length;

    public LlamaPeer(string name, string file, int mostSequences)
    {
        Name = name;
        var options = new ModelParams(file)
        {
            ContextSize = 4096,
            BatchSize = 2048,
            UBatchSize = 512,
            SeqMax = (uint)mostSequences,
            Threads = Comparison.Threads,
            BatchThreads = Comparison.Threads,
            GpuLayerCount = 0,
        };
        _weights = LLamaWeights.LoadFromFile(options);
        _context = _weights.CreateContext(options);
    }

    public string Name { get; }

    public static void Quiet() => NativeLibraryConfig.All.WithLogCallback((level, message) =>
    {
        if (level == LLamaLogLevel.Error)
        {
            Console.Error.Write(message);
        }
    });

    public void Prefill(int tokens)
    {
        _context.NativeHandle.MemoryClear(true);
        var batch = new LLamaBatch();
        for (var i = 0; i < tokens; i++)
        {
            batch.Add(i % 1000, i, LLamaSeqId.Zero, i == tokens - 1);
        }

        Evaluate(batch);
        _length = tokens;
    }

    public void Decode(int sequences)
    {
        var memory = _context.NativeHandle;
        var batch = new LLamaBatch();
        for (var sequence = 0; sequence < sequences; sequence++)
        {
            if (sequence > 0)
            {
                memory.MemorySequenceCopy(LLamaSeqId.Zero, (LLamaSeqId)sequence, 0, _length);
            }

            batch.Add(7, _length, (LLamaSeqId)sequence, true);
        }

        Evaluate(batch);
        memory.MemorySequenceRemove(LLamaSeqId.Zero, _length, -1);
        for (var sequence = 1; sequence < sequences; sequence++)
        {
            memory.MemorySequenceRemove((LLamaSeqId)sequence, 0, -1);
        }
    }

    public void Dispose()
    {
        _context.Dispose();
        _weights.Dispose();
    }

    private void Evaluate(LLamaBatch batch)
    {
        if (_context.NativeHandle.Decode(batch) != DecodeResult.Ok)
        {
            throw new InvalidOperationException("llama.cpp refuses the batch.");
        }

        _ = _context.NativeHandle.GetLogitsIth(batch.TokenCount - 1)[0];
    }
}
