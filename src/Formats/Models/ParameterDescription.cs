namespace MASQuant.Formats.Models;

/// <summary>Numbers of a step that are no linear layer's and no norm's, as a checkpoint stores them.</summary>
/// <param name="Name">The tensor's name behind the prefix of the block.</param>
/// <param name="Rows">The first extent.</param>
/// <param name="Columns">The product of the others; 0 for a vector.</param>
public sealed record ParameterDescription(string Name, int Rows, int Columns = 0);
