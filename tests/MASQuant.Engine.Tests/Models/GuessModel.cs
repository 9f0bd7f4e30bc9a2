using MASQuant.Engine.Audio;
using MASQuant.Engine.Execution;
using MASQuant.Engine.Generation;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Models;
using MASQuant.Engine.Vision;
using MASQuant.Formats.Checkpoints;
using MASQuant.Formats.Safetensors;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>A model of random weights with a head that guesses ahead, and one whose guesses mostly come true.</summary>
public sealed class GuessModel : IDisposable
{
    private readonly TemporaryDirectory _folder = new();

    public GuessModel()
    {
        Folder = SmallCheckpoint.WriteWithGuessHead(_folder.File("model"));
        Plain = LoadedModel.Load(Folder);
        Source = Checkpoint.Open(Folder);
        Head = GuessHead.Read(Source, Plain.Decoder.Description.GuessHead!, Plain.Decoder.Head);
    }

    public string Folder { get; }

    /// <summary>Without guesses of its own.</summary>
    public LoadedModel Plain { get; }

    /// <summary>The head in full precision.</summary>
    public GuessHead Head { get; }

    internal Checkpoint Source { get; }

    /// <summary>One whose next token is mostly the embedding's neighbour of the last: a step's block outputs are a disturbance, and the head, which looks at the last token alone, is right without it.</summary>
    public Decoder Chain(Decoder decoder)
    {
        var (rows, columns) = (decoder.Config.VocabularySize, decoder.Config.HiddenSize);
        var (embedding, next, first) = (Source.ReadMatrix(decoder.Description.Embedding, rows, columns), new Matrix(rows, columns), new Matrix(columns, 2 * columns));
        for (var id = 0; id < rows; id++)
        {
            embedding.Row(id).CopyTo(next.Row((id + 401) % rows));
        }

        for (var i = 0; i < columns; i++)
        {
            first.Row(i)[i] = 8; // The embedding's half, louder than what the block adds.
        }

        var head = Dense(next);
        return decoder with { Head = head, GuessHead = Head with { Join = Dense(first), Head = head } };
    }

    /// <summary>The model on a decoder of the caller's.</summary>
    public LoadedModel Load(Func<Decoder, Decoder> decoder) => LoadedModel.Load(Folder, new ModelOptions(), content => new Execution(new CpuExecution(content), decoder));

    public void Dispose()
    {
        Plain.Dispose();
        Source.Dispose();
        _folder.Dispose();
    }

    private static DenseLinearGroup Dense(Matrix weight) => new((Engine.Gemm.Cpu.DenseWeight.FromFloats(weight), []));

    private sealed class Execution(CpuExecution inner, Func<Decoder, Decoder> change) : IModelExecution
    {
        public string DeviceName => inner.DeviceName;

        public int MaxSequences => inner.MaxSequences;

        public IVisionTower Vision => inner.Vision;

        public IAudioTower? Audio => inner.Audio;

        public Decoder Decoder { get; } = change(inner.Decoder);

        public IDecoderSession NewSession(int sequences) => new DecoderSession(Decoder, 16);

        public void Dispose() => inner.Dispose();
    }
}
