using MASQuant.Engine.Layers;
using MASQuant.Formats.Configuration;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Audio;

/// <summary>The audio tower: log-mel frames → tokens of the decoder's width, 25 a second, in windows of 2 s that do not see each other. In full precision, or at 8 bits where its source has it so. Threads may share it.</summary>
public sealed class AudioTower : IAudioTower
{
    /// <summary>Windows evaluated together: enough rows for the products, little memory for a long clip. Even, so that no pair of rows to be pooled is split.</summary>
    private const int WindowsAtOnce = 8;

    private readonly AudioConfig _config;
    private readonly AudioTowerEmbedding _embedding;
    private readonly TransformerBlock[] _blocks;
    private readonly TransformerBlock _exit;

    /// <summary>Reads a tower; <paramref name="source"/> must outlive it where its layers are at 8 bits.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public AudioTower(ITensorSource source, AudioTowerDescription description)
    {
        var coded = new CodedLinears(source);
        TransformerBlock Read(BlockDescription block) => TransformerBlock.Read(source, block, step => coded.TryRead(step, block.Prefix));
        _config = description.Config;
        _embedding = new AudioTowerEmbedding(source, description);
        _blocks = [.. description.Blocks.Select(block => Read(block))];
        _exit = Read(description.Exit);
    }

    /// <summary>How many tokens <paramref name="frames"/> mel frames become: halved, rounding up, by the second convolution, and again, rounding down, by the pooling.</summary>
    public static int TokenCount(int frames) => AudioTowerEmbedding.Length(frames) / 2;

    /// <summary>The tokens of one clip, [<see cref="TokenCount"/>, out], of its log-mel frames [bins, frames].</summary>
    /// <exception cref="ArgumentException">The bins are not those of the configuration.</exception>
    public Matrix Forward(Matrix mel, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(mel.Rows, _config.MelBins, nameof(mel));
        var tokens = new Matrix(TokenCount(mel.Columns), _config.OutputSize);
        var rest = tokens.Span;
        var framesAtOnce = checked(WindowsAtOnce * 2 * _config.HalfWindow);
        for (var start = 0; start < mel.Columns; start += framesAtOnce)
        {
            var part = Forward(mel, start, Math.Min(framesAtOnce, mel.Columns - start), cancellationToken);
            part.Span.CopyTo(rest);
            rest = rest[part.Span.Length..];
        }

        return tokens;
    }

    /// <summary>The tokens of several clips, one after the other.</summary>
    /// <exception cref="ArgumentException">The bins are not those of the configuration.</exception>
    public Matrix Forward(IReadOnlyList<Matrix> mels, CancellationToken cancellationToken = default)
        => Matrix.Concatenate([.. mels.Select(mel => Forward(mel, cancellationToken))], _config.OutputSize);

    private Matrix Forward(Matrix mel, int start, int frames, CancellationToken cancellationToken)
    {
        var (x, bounds) = Embed(mel, start, frames);
        var (values, attention) = (new StepValues(), new TowerAttention(bounds, bounds, rotate: null, cancellationToken));
        foreach (var block in _blocks.Append(_exit))
        {
            cancellationToken.ThrowIfCancellationRequested();
            block.Run(x, ModalityMap.Text(0), values, attention);
        }

        return values.Current[0];
    }

    /// <summary>Embeds the windows of a run of frames; the last may be shorter. Returns the rows and where each window begins.</summary>
    private (Matrix Rows, int[] Bounds) Embed(Matrix mel, int start, int frames)
    {
        var window = 2 * _config.HalfWindow;
        var rows = new Matrix(AudioTowerEmbedding.Length(frames), _config.ModelSize);
        var bounds = new List<int> { 0 };
        for (var first = 0; first < frames; first += window)
        {
            var length = Math.Min(window, frames - first);
            _embedding.Embed(mel, start + first, length, rows.Span[(bounds[^1] * rows.Columns)..]);
            bounds.Add(bounds[^1] + AudioTowerEmbedding.Length(length));
        }

        return (rows, [.. bounds]);
    }
}
