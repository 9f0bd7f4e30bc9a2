using MASQuant.Formats.Configuration;

namespace MASQuant.Cuda.Checks;

/// <summary>Linear layers as they are launched: those that share their input side by side.</summary>
/// <param name="Name">The model and the group.</param>
/// <param name="Layers">The outputs of each.</param>
/// <param name="Inputs">K.</param>
public sealed record LinearShape(string Name, IReadOnlyList<int> Layers, int Inputs)
{
    public int Outputs { get; } = Layers.Sum();

    /// <summary>The rank of each layer's patch: the paper's ratio 0.05 of min(N, K).</summary>
    public IReadOnlyList<int> Ranks { get; } = [.. Layers.Select(outputs => (Math.Min(outputs, Inputs) + 19) / 20)];
}

/// <summary>A decoder; by default those of Qwen2.5-Omni and Qwen2.5-VL.</summary>
public sealed record ModelShape(string Name, TextConfig Config)
{
    public static IReadOnlyList<ModelShape> All { get; } = [new("3B", Of(2048, 36, 11008, 16, 2)), new("7B", Of(3584, 28, 18944, 28, 4))];

    /// <summary>A layer's products, in the order in which they run.</summary>
    public IReadOnlyList<LinearShape> Linears { get; } =
    [
        new($"{Name} qkv", [Config.AttentionHeads * Config.HeadSize, Config.KeyValueHeads * Config.HeadSize, Config.KeyValueHeads * Config.HeadSize], Config.HiddenSize),
        new($"{Name} o", [Config.HiddenSize], Config.AttentionHeads * Config.HeadSize),
        new($"{Name} gate_up", [Config.IntermediateSize, Config.IntermediateSize], Config.HiddenSize),
        new($"{Name} down", [Config.HiddenSize], Config.IntermediateSize),
    ];

    public LinearShape GateUp => Linears[2];

    public LinearShape Down => Linears[3];

    public static TextConfig Of(int hidden, int layers, int intermediate, int heads, int keyHeads, int vocabulary = 152064) => new()
    {
        HiddenSize = hidden,
        Layers = layers,
        IntermediateSize = intermediate,
        AttentionHeads = heads,
        KeyValueHeads = keyHeads,
        VocabularySize = vocabulary,
        RmsNormEpsilon = 1e-6f,
        RopeTheta = 1_000_000,
        MropeSections = [16, 24, 24],
        TieWordEmbeddings = false,
        MaxPositions = 32768,
    };
}
