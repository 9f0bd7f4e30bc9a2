using MASQuant.Engine.Gemm;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Schemes;

namespace MASQuant.Quantization.Compensation;

/// <summary>What quantization costs one linear layer, modality by modality, measured on the very products that the runtime executes.</summary>
internal sealed class LinearErrors
{
    private readonly IGemmBackend _backend;
    private readonly QuantizedWeight _patched;
    private readonly QuantizedWeight _unpatched;
    private readonly double[] _signal = new double[ModalityMap.ModalityCount];
    private readonly double[] _noiseBefore = new double[ModalityMap.ModalityCount];
    private readonly double[] _noiseAfter = new double[ModalityMap.ModalityCount];

    /// <summary>Measures <paramref name="weight"/> with and without its patches.</summary>
    public LinearErrors(IGemmBackend backend, QuantizedWeight weight)
    {
        _backend = backend;
        _patched = weight;
        _unpatched = Unpatched(weight);
    }

    /// <summary>The same weight without patches.</summary>
    public static QuantizedWeight Unpatched(QuantizedWeight weight) => weight with { Patches = new LowRankFactors?[ModalityMap.ModalityCount] };

    /// <summary>Adds a sample.</summary>
    /// <param name="tokens">Its prepared input, [T, K].</param>
    /// <param name="target">The full-precision output, [T, N].</param>
    public void Add(PreparedTokens tokens, Matrix target)
    {
        var output = new Matrix(tokens.Tokens, _patched.Outputs);
        _backend.Multiply(tokens, _unpatched, output);
        AddNoise(tokens.Modalities, target, output, _noiseBefore, _signal);
        if (_patched.Patches.Any(patch => patch is not null))
        {
            _backend.Multiply(tokens, _patched, output);
        }

        AddNoise(tokens.Modalities, target, output, _noiseAfter, null);
    }

    /// <summary>The output's SQNR before and after compensation, or null when no token of the modality was added.</summary>
    public ManifestSqnr? Sqnr(Modality modality)
    {
        var index = (int)modality;
        return _signal[index] == 0 && _noiseBefore[index] == 0
            ? null
            : new ManifestSqnr(Numerics.Sqnr.Decibels(_signal[index], _noiseBefore[index]), Numerics.Sqnr.Decibels(_signal[index], _noiseAfter[index]));
    }

    private static void AddNoise(ModalityMap modalities, Matrix target, Matrix output, double[] noise, double[]? signal)
    {
        for (var token = 0; token < modalities.Count; token++)
        {
            var energies = Numerics.Sqnr.Energies(target.Row(token), output.Row(token));
            noise[(int)modalities[token]] += energies.Noise;
            if (signal is not null)
            {
                signal[(int)modalities[token]] += energies.Signal;
            }
        }
    }
}
