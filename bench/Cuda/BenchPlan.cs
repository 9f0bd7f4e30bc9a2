namespace MASQuant.Bench.Cuda;

/// <summary>The numbers of tokens of a product, by the part they play in the numbers to hold.</summary>
internal sealed record TokenCounts(int One, int Few, int Some, int Many, int Most)
{
    public IReadOnlyList<int> All { get; } = [One, Few, Some, Many, Most];
}

/// <summary>What is measured, and how thoroughly. A test runs a smaller plan of the same cases.</summary>
internal sealed record BenchPlan
{
    /// <summary>The plan of a run on a GPU.</summary>
    public static BenchPlan Full { get; } = new();

    public IReadOnlyList<ModelShape> Models { get; init; } = ModelShape.All;

    public TokenCounts Tokens { get; init; } = new(1, 16, 512, 2048, 8192);

    /// <summary>The prompt of a whole model, half of it vision, and what a decode step has behind it.</summary>
    public int Prompt { get; init; } = 2048;

    /// <summary>Room behind the prompt.</summary>
    public int Room { get; init; } = 256;

    /// <summary>Sequences of a decode step.</summary>
    public IReadOnlyList<int> Batches { get; init; } = [1, 16];

    /// <summary>Replays whose median counts.</summary>
    public int Replays { get; init; } = 15;

    /// <summary>What a graph is to take, so that a launch's own time does not show.</summary>
    public double GraphMicroseconds { get; init; } = 3000;

    /// <summary>The most runs of a graph.</summary>
    public int MostRuns { get; init; } = 200;

    /// <summary>What the copy moves that tells the memory's speed.</summary>
    public long CopyBytes { get; init; } = 1L << 30;

    /// <summary>What is checked of it: a step of one and of several sequences, and the longest prompt, less a token, so that the last block is not full.</summary>
    public FullSizes Checked => new(Models, [Tokens.One, Tokens.Few - 1, Tokens.Most - 1], Prompt, Room);

    /// <summary>The larger model, which the numbers to hold are about.</summary>
    public ModelShape Large => Models[^1];
}
