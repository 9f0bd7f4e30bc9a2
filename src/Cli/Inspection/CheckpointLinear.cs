using MASQuant.Formats.Models;

namespace MASQuant.Cli.Inspection;

/// <summary>A linear layer as a checkpoint stores it.</summary>
/// <param name="Layer">The block, from 0.</param>
/// <param name="Shape">Its name and extents.</param>
/// <param name="TensorName">The weight's canonical name.</param>
/// <param name="Type">The element type, as safetensors names it.</param>
/// <param name="Bytes">The weight's bytes.</param>
internal sealed record CheckpointLinear(int Layer, DecoderLinear Shape, string TensorName, string Type, long Bytes);
