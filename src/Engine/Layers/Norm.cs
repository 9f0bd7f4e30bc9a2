using MASQuant.Engine.Tensors;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Engine.Layers;

/// <summary>A norm with its weights.</summary>
/// <param name="Description">Kind, extent and ε.</param>
/// <param name="Gain">K values.</param>
/// <param name="Bias">K values of a layer norm; otherwise none.</param>
public sealed record Norm(NormDescription Description, float[] Gain, float[] Bias)
{
    /// <summary>Reads a norm.</summary>
    /// <exception cref="MASQuantException">A tensor is missing, of another shape or type, or not finite.</exception>
    public static Norm Read(ITensorSource source, string prefix, NormDescription description)
    {
        var name = prefix + description.Name;
        var bias = description.Kind == NormKind.Layer ? source.ReadFloats(name + ".bias", description.Size) : [];
        var gain = source.ReadFloats(name + ".weight", description.Size);
        for (var i = 0; description.IsStoredLessOne && i < gain.Length; i++)
        {
            gain[i]++;
        }

        return new Norm(description, gain, bias);
    }

    /// <summary>Normalizes the rows of <paramref name="x"/> [T, K] into <paramref name="y"/>, which may be the same matrix.</summary>
    public void Apply(Matrix x, Matrix y)
    {
        // Row by row where there are few: a closure would cost a decode step an allocation.
        if (x.Rows > Rows.PieceRows)
        {
            ApplyToMany(x, y);
            return;
        }

        for (var row = 0; row < x.Rows; row++)
        {
            Apply(x.Row(row), y.Row(row));
        }
    }

    /// <summary>Normalizes every K values of the rows of <paramref name="x"/>, [T, heads · K], in place.</summary>
    public void ApplyToHeads(Matrix x)
    {
        if (x.Rows > Rows.PieceRows)
        {
            ApplyToHeadsOfMany(x);
            return;
        }

        for (var row = 0; row < x.Rows; row++)
        {
            ApplyToHeads(x.Row(row));
        }
    }

    private void ApplyToHeadsOfMany(Matrix x) => Rows.For(x.Rows, row => ApplyToHeads(x.Row(row)));

    private void ApplyToHeads(Span<float> row)
    {
        for (var head = 0; head < row.Length; head += Description.Size)
        {
            Apply(row.Slice(head, Description.Size), row.Slice(head, Description.Size));
        }
    }

    private void ApplyToMany(Matrix x, Matrix y) => Rows.For(x.Rows, row => Apply(x.Row(row), y.Row(row)));

    /// <summary>Normalizes one row; <paramref name="y"/> may be <paramref name="x"/>.</summary>
    internal void Apply(ReadOnlySpan<float> x, Span<float> y)
    {
        if (Description.Kind == NormKind.Layer)
        {
            LayerNorm.Apply(x, Gain, Bias, Description.Epsilon, y);
        }
        else
        {
            RmsNorm.Apply(x, Gain, Description.Epsilon, y);
        }
    }
}
