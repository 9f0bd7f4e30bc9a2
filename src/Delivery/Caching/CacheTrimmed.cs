namespace MASQuant.Delivery.Caching;

/// <summary>What a trim did.</summary>
/// <param name="Removed">Entries and unfinished runs that went.</param>
/// <param name="BytesFreed">Their size.</param>
/// <param name="BytesLeft">What stays.</param>
public readonly record struct CacheTrimmed(int Removed, long BytesFreed, long BytesLeft);
