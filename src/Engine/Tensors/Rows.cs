namespace MASQuant.Engine.Tensors;

/// <summary>Spreads work on rows over the <see cref="Workers"/>, a few rows at a time.</summary>
internal static class Rows
{
    /// <summary>Rows of one piece: enough work to be worth handing to a thread.</summary>
    public const int PieceRows = 16;

    /// <summary>Runs <paramref name="body"/> for every row.</summary>
    public static void For(int rows, Action<int> body)
        => Workers.For((rows + PieceRows - 1) / PieceRows, piece =>
        {
            var end = Math.Min((piece + 1) * PieceRows, rows);
            for (var row = piece * PieceRows; row < end; row++)
            {
                body(row);
            }
        });
}
