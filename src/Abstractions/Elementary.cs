namespace MASQuant;

/// <summary>
/// Exponentials, logarithms, powers, sines and cosines with the same bits on every machine: additions, multiplications, divisions and roundings alone, which IEEE 754 defines.
/// <see cref="Math"/> asks the system's C library, whose last bit depends on the system, its version and the processor. What reaches artifacts and answers takes these.
/// Argument reductions as in Sun's fdlibm, series in place of its fitted polynomials.
/// </summary>
internal static class Elementary
{
    /// <summary>ln 2 in two parts; the first has 33 significant bits, so that its product with an exponent is exact.</summary>
    private const double Ln2High = 6.93147180369123816490e-01;

    private const double Ln2Low = 1.90821492927058770002e-10;

    /// <summary>π/2 in three parts, each the nearest number to what the ones before leave.</summary>
    private const double Right1 = 1.5707963267948966;

    private const double Right2 = 6.123233995736766e-17;
    private const double Right3 = -1.4973849048591698e-33;

    /// <summary>eˣ, to within one unit in the last place.</summary>
    public static double Exp(double x)
    {
        // Beyond these all is infinite, or 0; NaN goes on.
        if (x is > 709.8 or < -745.2)
        {
            return x > 0 ? double.PositiveInfinity : 0;
        }

        // x = n·ln 2 + r + tail with |r| ≤ ln 2 / 2.
        var n = Math.Round(x * 1.4426950408889634);
        var (high, low) = (x - (n * Ln2High), n * Ln2Low);
        var r = high - low;
        var tail = high - r - low;

        // The series to r¹³: what it leaves out is below 1.03·r¹⁴/14! ≤ 5e-18.
        var p = 1.0 / 6227020800;
        p = (p * r) + (1.0 / 479001600);
        p = (p * r) + (1.0 / 39916800);
        p = (p * r) + (1.0 / 3628800);
        p = (p * r) + (1.0 / 362880);
        p = (p * r) + (1.0 / 40320);
        p = (p * r) + (1.0 / 5040);
        p = (p * r) + (1.0 / 720);
        p = (p * r) + (1.0 / 120);
        p = (p * r) + (1.0 / 24);
        p = (p * r) + (1.0 / 6);
        p = (p * r) + 0.5;
        return Math.ScaleB(1 + (r + (tail + (r * r * p))), (int)n);
    }

    /// <summary>ln x, to within one unit in the last place; NaN of negative numbers.</summary>
    public static double Log(double x)
    {
        if (!(x > 0) || double.IsPositiveInfinity(x))
        {
            return x == 0 ? double.NegativeInfinity : x > 0 ? x : double.NaN;
        }

        // x = 2ᵏ·(1 + f) with √½ ≤ 1 + f < √2.
        var k = Math.ILogB(x);
        var f = Math.ScaleB(x, -k);
        (k, f) = f >= 1.4142135623730951 ? (k + 1, (f * 0.5) - 1) : (k, f - 1);

        // ln(1 + f) = 2·artanh(s) = f − (f²/2 − s·(f²/2 + p)). The series to s²¹: what it leaves out is below 1.03·s²²/23 ≤ 7e-19 of the result.
        var s = f / (2 + f);
        var z = s * s;
        var p = 2.0 / 21;
        p = (p * z) + (2.0 / 19);
        p = (p * z) + (2.0 / 17);
        p = (p * z) + (2.0 / 15);
        p = (p * z) + (2.0 / 13);
        p = (p * z) + (2.0 / 11);
        p = (p * z) + (2.0 / 9);
        p = (p * z) + (2.0 / 7);
        p = (p * z) + (2.0 / 5);
        p = (p * z) + (2.0 / 3);
        p *= z;
        var square = 0.5 * f * f;
        return (k * Ln2High) - (square - ((s * (square + p)) + (k * Ln2Low)) - f);
    }

    /// <summary>log₂ x, to within two units in the last place.</summary>
    public static double Log2(double x) => Log(x) * 1.4426950408889634;

    /// <summary>log₁₀ x, to within two units in the last place.</summary>
    public static double Log10(double x) => Log(x) * 0.4342944819032518;

    /// <summary>xʸ of a positive x: relatively to within 2⁻⁵² · (1 + |y·ln x|).</summary>
    public static double Pow(double x, double y) => Exp(y * Log(x));

    /// <summary>cos x: <see cref="SinCos"/>.</summary>
    public static double Cos(double x) => SinCos(x).Cos;

    /// <summary>sin x: <see cref="SinCos"/>.</summary>
    public static double Sin(double x) => SinCos(x).Sin;

    /// <summary>Sine and cosine of |x| ≤ 2³⁰, to within one unit in the last place. Of larger numbers, whose neighbours lie apart by more than 2⁻²³, the angle may be off by 2⁻¹⁶⁰·x.</summary>
    public static (double Sin, double Cos) SinCos(double x)
    {
        // x = n·π/2 + r + tail with |r| ≤ π/4; the first difference is exact.
        var n = Math.Round(x * 0.6366197723675814);
        var product = n * Right1;
        var rest = Math.FusedMultiplyAdd(n, Right1, -product);
        var (first, error) = Difference(x - product, rest);
        product = n * Right2;
        rest = Math.FusedMultiplyAdd(n, Right2, -product) + (n * Right3);
        (first, var further) = Difference(first, product);
        rest = error + further - rest;
        var r = first + rest;
        var tail = first - r + rest;

        // The series to r¹⁷ and r¹⁸: what they leave out is below r¹⁸/19! ≤ 2e-19 and r²⁰/20! ≤ 4e-21 of the results.
        var z = r * r;
        var p = 1.0 / 355687428096000;
        p = (p * z) - (1.0 / 1307674368000);
        p = (p * z) + (1.0 / 6227020800);
        p = (p * z) - (1.0 / 39916800);
        p = (p * z) + (1.0 / 362880);
        p = (p * z) - (1.0 / 5040);
        p = (p * z) + (1.0 / 120);
        p = (p * z) - (1.0 / 6);
        var q = -1.0 / 6402373705728000;
        q = (q * z) + (1.0 / 20922789888000);
        q = (q * z) - (1.0 / 87178291200);
        q = (q * z) + (1.0 / 479001600);
        q = (q * z) - (1.0 / 3628800);
        q = (q * z) + (1.0 / 40320);
        q = (q * z) - (1.0 / 720);
        q = (q * z) + (1.0 / 24);
        var half = 0.5 * z;
        var whole = 1 - half;
        var sine = r + ((r * z * p) + (tail * whole));
        var cosine = whole + (1 - whole - half + ((z * z * q) - (r * tail)));
        return ((long)n & 3) switch
        {
            0 => (sine, cosine),
            1 => (cosine, -sine),
            2 => (-sine, -cosine),
            _ => (-cosine, sine),
        };
    }

    // a − b and what its rounding lost.
    private static (double Result, double Error) Difference(double a, double b)
    {
        var result = a - b;
        var part = result - a;
        return (result, a - (result - part) - (b + part));
    }
}
