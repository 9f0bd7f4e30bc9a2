namespace MASQuant.Engine.Tests.Gemm;

/// <summary>Seeded operands.</summary>
internal sealed class RandomValues(int seed)
{
    private readonly Random _random = new(seed);

    public float Next() => (float)((_random.NextDouble() * 2) - 1);

    public float[] Array(int length)
    {
        var values = new float[length];
        for (var i = 0; i < length; i++)
        {
            values[i] = Next();
        }

        return values;
    }

    public Matrix Matrix(int rows, int columns) => new(rows, columns, Array(rows * columns));

    public sbyte[] Codes(int length, int lowest, int highest)
    {
        var codes = new sbyte[length];
        for (var i = 0; i < length; i++)
        {
            codes[i] = (sbyte)_random.Next(lowest, highest + 1);
        }

        return codes;
    }
}
