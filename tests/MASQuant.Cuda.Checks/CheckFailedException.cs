namespace MASQuant.Cuda.Checks;

/// <summary>What a device computed is not what it should be.</summary>
internal sealed class CheckFailedException(string message) : Exception(message);
