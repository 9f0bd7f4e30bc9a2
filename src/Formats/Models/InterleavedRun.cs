namespace MASQuant.Formats.Models;

/// <summary>A run of tokens of one of two media that are interleaved: behind one placeholder, between two start and two end markers, of which each pair stands at one position. Positions of both media count from where the first run begins.</summary>
/// <param name="First">The number of its first token within its medium.</param>
/// <param name="Tokens">How many tokens follow each other.</param>
/// <param name="Continues">Whether a run precedes it.</param>
public readonly record struct InterleavedRun(int First, int Tokens, bool Continues);
