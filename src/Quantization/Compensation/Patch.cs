using MASQuant.Formats.Schemes;

namespace MASQuant.Quantization.Compensation;

/// <summary>A fitted patch and what it is worth by its own measure.</summary>
/// <param name="Factors">L1 [K, r], L2 [r, N]; null when the rank is 0 or nothing is left to patch.</param>
/// <param name="WhitenedEnergy">‖T·ΔWᵀ‖², the squared output error before the patch (damping included).</param>
/// <param name="CapturedEnergy">The part of it that the patch removes: Σ σ_i² over the r leading values.</param>
internal sealed record Patch(LowRankFactors? Factors, double WhitenedEnergy, double CapturedEnergy);
