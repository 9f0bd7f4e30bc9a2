using MASQuant.Diagnostics;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Configuration;

namespace MASQuant.Engine.Vision.Preprocessing;

/// <summary>Turns images and video frames into patches as transformers' image processor of these models does: resize, rescale to 0…1, normalise, cut.</summary>
public sealed class ImagePreprocessor
{
    private readonly int _patch;
    private readonly int _merge;
    private readonly int _framesPerPatch;
    private readonly float[] _normalized = new float[Channels * 256];

    private const int Channels = 3;

    /// <summary>Creates a preprocessor for a checkpoint.</summary>
    public ImagePreprocessor(PreprocessorConfig config, VisionConfig vision)
    {
        ImageLimits = new PixelLimits(config.MinPixels, config.MaxPixels);
        VideoLimits = config.VideoPixels ?? ImageLimits;
        VideoLimitsCountFrames = config.VideoPixelsCountFrames;
        _patch = vision.PatchSize;
        _merge = vision.SpatialMergeSize;
        _framesPerPatch = vision.TemporalPatchSize;
        for (var channel = 0; channel < Channels; channel++)
        {
            for (var value = 0; value < 256; value++)
            {
                // transformers multiplies in double, rounds to float and normalises in float.
                var rescaled = (float)(value * config.RescaleFactor);
                _normalized[(channel * 256) + value] = (rescaled - config.ImageMean[channel]) / config.ImageStd[channel];
            }
        }
    }

    /// <summary>The checkpoint's limits of an image.</summary>
    public PixelLimits ImageLimits { get; }

    /// <summary>Whether <see cref="VideoLimits"/> are those of all frames together.</summary>
    public bool VideoLimitsCountFrames { get; }

    /// <summary>The checkpoint's limits of a video's frame, or of all together.</summary>
    public PixelLimits VideoLimits { get; }

    /// <summary>The patches down and across of an image of these extents.</summary>
    /// <exception cref="MASQuantException">MASQ0304: the image is too narrow.</exception>
    public (int GridH, int GridW) Grid(int width, int height, PixelLimits limits, string? path = null) => InPatches(ImageSize(width, height, limits, path));

    /// <summary>The patches in time, down and across of a video of frames of these extents.</summary>
    /// <exception cref="MASQuantException">MASQ0304: the frames are too narrow.</exception>
    public (int GridT, int GridH, int GridW) VideoGrid(int frames, int width, int height, PixelLimits limits, string? path = null)
    {
        var (gridH, gridW) = InPatches(FrameSize(frames, width, height, limits, path));
        return (GridT(frames), gridH, gridW);
    }

    /// <summary>The patches of one image, which stands still for the frames of a patch.</summary>
    /// <exception cref="MASQuantException">MASQ0304: the image is too narrow.</exception>
    public ImagePatches Process(RgbImage image, PixelLimits? limits = null, string? path = null) => Extract([Resize(image, ImageSize(image.Width, image.Height, limits ?? ImageLimits, path))]);

    /// <summary>The patches of a video; where the last patch lacks frames, the last frame is repeated.</summary>
    /// <exception cref="MASQuantException">MASQ0304: no frames, frames of several sizes, or too narrow ones.</exception>
    public ImagePatches ProcessVideo(IReadOnlyList<RgbImage> frames, PixelLimits? limits = null, string? path = null) => ProcessVideo(frames, frames.Count, limits, path);

    /// <summary>As the other method, for <paramref name="count"/> frames that are asked for one after the other: as they come they are resized and let go.</summary>
    /// <exception cref="MASQuantException">MASQ0304: no frames, frames of several sizes, or too narrow ones.</exception>
    public ImagePatches ProcessVideo(IEnumerable<RgbImage> frames, int count, PixelLimits? limits = null, string? path = null)
    {
        var resized = new List<RgbImage>();
        (int Width, int Height)? extents = null;
        (int Width, int Height) size = default;
        foreach (var frame in frames)
        {
            if (extents is null)
            {
                extents = (frame.Width, frame.Height);
                size = FrameSize(count, frame.Width, frame.Height, limits ?? VideoLimits, path);
            }

            resized.Add(extents == (frame.Width, frame.Height) ? Resize(frame, size) : throw NoVideo(path));
        }

        return resized.Count > 0 && resized.Count == count ? Extract([.. resized]) : throw NoVideo(path);
    }

    internal static MASQuantException NoVideo(string? path)
        => new(DiagnosticCodes.ImageShapeNotSupported, path, "A video needs at least one frame, and all its frames need one size. Export the frames again.");

    private (int Width, int Height) ImageSize(int width, int height, PixelLimits limits, string? path) => SmartResize.Choose(width, height, _patch * _merge, limits, path);

    private (int Width, int Height) FrameSize(int frames, int width, int height, PixelLimits limits, string? path) => VideoLimitsCountFrames
        ? SmartResize.ChooseVideo(frames, _framesPerPatch, width, height, _patch * _merge, limits, path)
        : SmartResize.Choose(width, height, _patch * _merge, limits, path);

    private (int GridH, int GridW) InPatches((int Width, int Height) size) => (size.Height / _patch, size.Width / _patch);

    private int GridT(int frames) => ((frames - 1) / _framesPerPatch) + 1;

    private static RgbImage Resize(RgbImage image, (int Width, int Height) size) => BicubicResize.Resize(image, size.Width, size.Height);

    private ImagePatches Extract(RgbImage[] frames)
    {
        var gridT = GridT(frames.Length);
        var gridH = frames[0].Height / _patch;
        var gridW = frames[0].Width / _patch;
        var pixels = new Matrix(checked(gridT * gridH * gridW), Channels * _framesPerPatch * _patch * _patch);
        Workers.For(gridT * (gridH / _merge), band =>
        {
            var t = band / (gridH / _merge);
            var row = band * _merge * gridW;
            var blockY = band % (gridH / _merge) * _merge;
            for (var blockX = 0; blockX < gridW; blockX += _merge)
            {
                for (var inBlock = 0; inBlock < _merge * _merge; inBlock++)
                {
                    var (y, x) = (blockY + (inBlock / _merge), blockX + (inBlock % _merge));
                    CopyPatch(frames, t * _framesPerPatch, y * _patch, x * _patch, pixels.Row(row++));
                }
            }
        });
        return new ImagePatches(pixels, gridT, gridH, gridW);
    }

    // One row of the result: channel, frame, y, x from the slowest to the fastest.
    private void CopyPatch(RgbImage[] frames, int firstFrame, int top, int left, Span<float> target)
    {
        var next = 0;
        for (var channel = 0; channel < Channels; channel++)
        {
            var normalized = _normalized.AsSpan(channel * 256, 256);
            for (var frame = firstFrame; frame < firstFrame + _framesPerPatch; frame++)
            {
                var image = frames[Math.Min(frame, frames.Length - 1)];
                for (var y = top; y < top + _patch; y++)
                {
                    var source = image.Row(y).Slice(left * Channels, _patch * Channels);
                    for (var x = channel; x < source.Length; x += Channels)
                    {
                        target[next++] = normalized[source[x]];
                    }
                }
            }
        }
    }
}
