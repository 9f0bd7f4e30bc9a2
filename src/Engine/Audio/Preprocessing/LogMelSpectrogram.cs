using System.Numerics;
using MASQuant.Engine.Tensors;
using MASQuant.Formats.Configuration;

namespace MASQuant.Engine.Audio.Preprocessing;

/// <summary>
/// Turns a clip into log-mel frames as transformers' <c>WhisperFeatureExtractor</c> does: the clip, padded with silence to the longest length, under
/// centred Hann windows; power, mel bands, log₁₀, the range cut to 8 below the clip's maximum, (x + 4) / 4. Only the clip's own frames are kept.
/// </summary>
public sealed class LogMelSpectrogram
{
    /// <summary>The number of mel bands.</summary>
    public const int MelBins = 128;

    private const int FramesPerPiece = 64;
    private const double Floor = 1e-10;
    private const double Range = 8;

    private readonly int _samplingRate;
    private readonly int _chunkLength;
    private readonly int _hop;
    private readonly double[] _window;
    private readonly FourierTransform _fourier;
    private readonly MelFilterbank _filters;

    /// <summary>Prepares the window, the transform and the filters that <paramref name="config"/> asks for.</summary>
    public LogMelSpectrogram(PreprocessorConfig config)
    {
        _samplingRate = config.SamplingRate;
        _chunkLength = config.ChunkLength;
        _hop = config.HopLength;
        _window = new double[config.FourierSize];
        for (var i = 0; i < _window.Length; i++)
        {
            _window[i] = 0.5 - (0.5 * Elementary.Cos(2 * Math.PI * i / _window.Length));
        }

        _fourier = new FourierTransform(_window.Length);
        _filters = new MelFilterbank((_window.Length / 2) + 1, MelBins, _samplingRate);
    }

    /// <summary>How many frames a clip has: ⌈samples / hop⌉.</summary>
    /// <exception cref="MASQuantException">MASQ0312: the clip is empty; MASQ0313: it is longer than the configured length.</exception>
    public int CountFrames(int samples, string? path = null)
    {
        if (samples == 0)
        {
            throw AudioDecoder.Corrupt(path, "it has no samples");
        }

        if (samples > (long)_chunkLength * _samplingRate)
        {
            throw AudioDecoder.TooLong(path, ((long)samples + _samplingRate - 1) / _samplingRate, _chunkLength);
        }

        return ((samples - 1) / _hop) + 1;
    }

    /// <summary>The log-mel frames [128, ⌈samples / hop⌉] of a clip at the configured rate.</summary>
    /// <exception cref="MASQuantException">MASQ0312: the clip is empty; MASQ0313: it is longer than the configured length.</exception>
    public Matrix Process(float[] samples, string? path = null)
    {
        var frames = CountFrames(samples.Length, path);
        var energies = new double[checked(MelBins * frames)];
        Workers.For((frames + FramesPerPiece - 1) / FramesPerPiece, piece =>
        {
            var windowed = new Complex[_window.Length];
            var spectrum = new Complex[_window.Length];
            var power = new double[(_window.Length / 2) + 1];
            for (var frame = piece * FramesPerPiece; frame < Math.Min(frames, (piece + 1) * FramesPerPiece); frame++)
            {
                Window(samples, frame, windowed);
                _fourier.Transform(windowed, spectrum);
                for (var bin = 0; bin < power.Length; bin++)
                {
                    power[bin] = (spectrum[bin].Real * spectrum[bin].Real) + (spectrum[bin].Imaginary * spectrum[bin].Imaginary);
                }

                for (var mel = 0; mel < MelBins; mel++)
                {
                    energies[(mel * frames) + frame] = Elementary.Log10(Math.Max(_filters.Apply(mel, power), Floor));
                }
            }
        });
        return Scale(energies, frames);
    }

    // The padding's own frames are at the floor or at the clip's end, so that the clip's maximum is the padded clip's.
    private static Matrix Scale(double[] energies, int frames)
    {
        var lowest = energies.Max() - Range;
        var result = new Matrix(MelBins, frames);
        for (var i = 0; i < energies.Length; i++)
        {
            result.Data[i] = (float)((Math.Max(energies[i], lowest) + 4) / 4);
        }

        return result;
    }

    private void Window(float[] samples, int frame, Complex[] windowed)
    {
        var padded = _chunkLength * (long)_samplingRate;
        for (var i = 0; i < windowed.Length; i++)
        {
            var position = ((long)frame * _hop) - (_window.Length / 2) + i;

            // Before the beginning and after the padding the signal is mirrored.
            position = position < 0 ? -position : position >= padded ? (2 * (padded - 1)) - position : position;
            windowed[i] = position < samples.Length ? samples[position] * _window[i] : 0;
        }
    }
}
