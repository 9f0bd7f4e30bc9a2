namespace MASQuant.Bench.Cuda;

/// <summary>The numbers to hold on a GPU of the compute capability at hand.</summary>
internal static class Verdicts
{
    private const string W4A8 = "W4A8";
    private const string W8A8 = "W8A8";
    private const int HopperCapability = 90;
    private const double PerMicrosecond = 1e-6;

    public static IReadOnlyList<Verdict> Of(Results results, BenchPlan plan, int computeCapability, double copyBandwidth)
    {
        var rows = new List<Verdict>();
        double Ratio(string kernel, string other, string shape, int tokens) => results.Find(kernel, shape, tokens) / results.Find(other, shape, tokens);
        void Add(string name, double measured, double hold, double stretch, bool atMost = false) => rows.Add(new Verdict(name, measured, hold, stretch, atMost));
        var (tokens, large) = (plan.Tokens, plan.Large);
        var isHopper = computeCapability >= HopperCapability;
        foreach (var shape in (string[])[large.GateUp.Name, large.Down.Name])
        {
            foreach (var m in (int[])[tokens.Many, tokens.Most])
            {
                Add($"W4A8 against BF16, {shape}, M = {m}", Ratio(LibraryCases.BFloat16, W4A8, shape, m), isHopper ? 1.6 : 1.5, isHopper ? 1.8 : double.NaN);
                Add($"W8A8, scales and bias included, against INT8, {shape}, M = {m}", Ratio(LibraryCases.Int8, W8A8, shape, m), 0.95, 1.05);
                Add($"W4A8 over W8A8, {shape}, M = {m}", Ratio(W4A8, W8A8, shape, m), 1.05, 1, atMost: true);
                Add($"all vision over text, rank ratio 0.05, {shape}, M = {m}", Ratio(KernelCases.AllVision, W4A8, shape, m), 1.20, 1.16, atMost: true);
                Add($"W4A8 all vision against INT8 in parts, {shape}, M = {m}", Ratio(LibraryCases.Int8InParts, KernelCases.AllVision, shape, m), double.NaN, double.NaN);
            }

            if (isHopper)
            {
                Add($"W4A8 against BF16, {shape}, M = {tokens.Some}", Ratio(LibraryCases.BFloat16, W4A8, shape, tokens.Some), 1.3, 1.6);
            }
            else
            {
                Add($"W4A8 against BF16, {shape}, M = {tokens.One}", Ratio(LibraryCases.BFloat16, W4A8, shape, tokens.One), 3, double.NaN);
                Add($"W4A8 against BF16, {shape}, M = {tokens.Few}", Ratio(LibraryCases.BFloat16, W4A8, shape, tokens.Few), 3, double.NaN);
            }
        }

        double Layer(string kernel) => large.Linears.Sum(shape => results.Find(kernel, shape.Name, tokens.One));
        if (isHopper)
        {
            Add($"W4A8 decode, {large.GateUp.Name}, M = {tokens.Few}, µs", results.Find(W4A8, large.GateUp.Name, tokens.Few), 24, 20, atMost: true);
            Add($"W4A8 decode, products of a {large.Name} layer, M = {tokens.One}, µs", Layer(W4A8), 48, 40, atMost: true);
            Add($"W4A8 decode, products of a {large.Name} layer, M = {tokens.One}, against BF16", Layer(LibraryCases.BFloat16) / Layer(W4A8), 2.4, 3);
        }

        // Reads FP32, writes codes and a scale.
        var floor = tokens.Most * ((large.GateUp.Inputs * 5.0) + 4) / (copyBandwidth * PerMicrosecond);
        Add($"prepare_tokens, {tokens.Most} × {large.GateUp.Inputs}, of its byte floor", floor / results.Find(KernelCases.Prepare, large.GateUp.Name, tokens.Most), 0.7, 0.85);
        return rows;
    }
}
