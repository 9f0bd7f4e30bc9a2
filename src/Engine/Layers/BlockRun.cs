namespace MASQuant.Engine.Layers;

/// <summary>One pass through a block.</summary>
internal ref struct BlockRun
{
    /// <summary>The residual stream, [T, H], updated in place.</summary>
    public required Matrix Stream;

    /// <summary>T entries; none for a tower, whose layers do not ask.</summary>
    public required ModalityMap Modalities;

    /// <summary>What the vision tower has left for the decoder's first blocks.</summary>
    public required DeepstackRows Deepstack;

    /// <summary>What steps hand on.</summary>
    public required StepValues Values;

    /// <summary>What computes attention.</summary>
    public required IBlockAttention Attention;
}
