using System.Text;

namespace MASQuant.Engine.Constraints;

/// <summary>The texts of a thought, from behind the mark that begins it to the answer: any bytes, the first mark that ends it, two line ends.</summary>
internal static class ThoughtExpression
{
    /// <summary>Of a family's mark.</summary>
    /// <param name="end">What ends a thought.</param>
    /// <exception cref="ArgumentException">The mark's first byte comes again within it: what looks like its beginning could hold another.</exception>
    public static Expression Of(string end)
    {
        var mark = Encoding.UTF8.GetBytes(end);
        if (mark.AsSpan(1).Contains(mark[0]))
        {
            throw new ArgumentException($"'{end}' holds its own beginning.", nameof(end));
        }

        // Behind beginnings of the mark stands another one, a byte that goes on with none, or the mark.
        int[] lengths = [.. Enumerable.Range(1, mark.Length - 1)];
        var begun = Expression.Repeat(Expression.Choice([.. lengths.Select(length => Expression.Literal(mark.AsSpan(0, length)))]), 0);
        var broken = Expression.Choice([.. lengths.Select(length => Expression.Sequence(Expression.Literal(mark.AsSpan(0, length)), Except(mark[0], mark[length])))]);
        var text = Expression.Repeat(Expression.Choice(Except(mark[0]), Expression.Sequence(begun, broken)), 0);
        return Expression.Sequence(text, begun, Expression.Literal(mark), Expression.Literal("\n\n"u8));
    }

    private static Expression Except(params ReadOnlySpan<byte> bytes)
    {
        var ranges = new List<(int, int)>();
        for (var value = 0; value < 256; value++)
        {
            if (!bytes.Contains((byte)value))
            {
                ranges.Add((value, value));
            }
        }

        return Expression.Byte([.. ranges]);
    }
}
