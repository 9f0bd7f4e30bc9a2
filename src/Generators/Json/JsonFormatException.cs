using System;

namespace MASQuant.Generators.Json;

/// <summary>Text that is not the JSON that was expected, and where.</summary>
internal sealed class JsonFormatException(int position, string message) : Exception(message)
{
    /// <summary>The offset of the first wrong character.</summary>
    public int Position { get; } = position;
}
