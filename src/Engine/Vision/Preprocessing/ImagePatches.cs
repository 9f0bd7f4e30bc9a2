namespace MASQuant.Engine.Vision.Preprocessing;

/// <summary>An image or video as the vision tower takes it.</summary>
/// <param name="Pixels">[grid t × h × w, channels × frames a patch × 14 × 14], normalised; the patches of one merged 2 × 2 block follow each other.</param>
/// <param name="GridT">Patches in time.</param>
/// <param name="GridH">Patches in height.</param>
/// <param name="GridW">Patches in width.</param>
public sealed record ImagePatches(Matrix Pixels, int GridT, int GridH, int GridW);
