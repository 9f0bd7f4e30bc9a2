namespace MASQuant.Bench.Cuda;

/// <summary>The numbers to hold, with what was measured; a case that was not measured has no verdict.</summary>
internal static class Verdicts
{
    private const string GateUp = "7B gate_up";
    private const string Down = "7B down";
    private const double Bytes = 1e-6;

    public static void Print(Results results, DeviceBench bench)
    {
        Console.WriteLine();
        Console.WriteLine("| case | measured | hold | stretch | |");
        Console.WriteLine("|---|---|---|---|---|");
        foreach (var shape in (string[])[GateUp, Down])
        {
            foreach (var tokens in (int[])[2048, 8192])
            {
                AtLeast($"W4A8 against cuBLASLt BF16, {shape}, M = {tokens}", results.Find("cuBLASLt BF16", shape, tokens) / results.Find("W4A8", shape, tokens), 1.6, 1.8);
                AtLeast($"W8A8 against cuBLASLt INT8, {shape}, M = {tokens}", results.Find("cuBLASLt INT8", shape, tokens) / results.Find("W8A8", shape, tokens), 0.95, 1.05);
                AtMost($"W4A8 over W8A8, {shape}, M = {tokens}", results.Find("W4A8", shape, tokens) / results.Find("W8A8", shape, tokens), 1.05, 1);
                AtMost($"all vision over text, rank ratio 0.05, {shape}, M = {tokens}", results.Find("W4A8 all vision", shape, tokens) / results.Find("W4A8", shape, tokens), 1.20, 1.16);
            }

            AtLeast($"W4A8 against cuBLASLt BF16, {shape}, M = 512", results.Find("cuBLASLt BF16", shape, 512) / results.Find("W4A8", shape, 512), 1.3, 1.6);
        }

        AtMost("W4A8 decode, 7B gate_up, M = 16, µs", results.Find("W4A8", GateUp, 16), 24, 20);
        AtMost("W4A8 decode, 7B layer, M = 1, µs", Layer(results, "W4A8", 1), 48, 40);
        AtLeast("W4A8 decode, 7B layer, M = 1, against cuBLASLt BF16", Layer(results, "cuBLASLt BF16", 1) / Layer(results, "W4A8", 1), 2.4, 3);

        // Reads FP32, writes codes and a scale.
        const int Rows = 8192;
        var inputs = ModelShape.All[1].Config.HiddenSize;
        var floor = Rows * ((inputs * 5.0) + 4) / (bench.CopyBandwidth() * Bytes);
        AtLeast($"prepare_tokens, {Rows} × {inputs}, of its byte floor", floor / results.Find("prepare", GateUp, Rows), 0.7, 0.85);
    }

    /// <summary>The four products of a 7B layer.</summary>
    private static double Layer(Results results, string kernel, int tokens) => ModelShape.All[1].Linears.Sum(shape => results.Find(kernel, shape.Name, tokens));

    private static void AtLeast(string name, double measured, double hold, double stretch)
        => Row(name, measured, $"≥ {hold}", $"≥ {stretch}", measured >= stretch, measured >= hold);

    private static void AtMost(string name, double measured, double hold, double stretch)
        => Row(name, measured, $"≤ {hold}", $"≤ {stretch}", measured <= stretch, measured <= hold);

    private static void Row(string name, double measured, string hold, string stretch, bool stretched, bool held)
        => Console.WriteLine($"| {name} | {(double.IsNaN(measured) ? "not measured" : $"{measured:F2}")} | {hold} | {stretch} | {(double.IsNaN(measured) ? "" : stretched ? "stretch" : held ? "holds" : "MISSES")} |");
}
