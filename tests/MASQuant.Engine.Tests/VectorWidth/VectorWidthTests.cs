using MASQuant.Tests;


namespace MASQuant.Engine.Tests.VectorWidth;

public class VectorWidthTests
{
    public static TheoryData<string, string> Cases
    {
        get
        {
            var cases = new TheoryData<string, string>();
            foreach (var name in ResultHashes.ByName.Keys)
            {
                cases.Add(name, "AVX512");
                cases.Add(name, "AVX2");
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Results_do_not_depend_on_the_instruction_set(string name, string switchedOff) => Assert.Equal(ResultHashes.ByName[name](), RunWithout(switchedOff, name));

    /// <summary>The same hash from a child process without an instruction set (and those that build on it).</summary>
    private static string RunWithout(string instructionSet, string name)
    {
        var output = TestProcess.Output([name], ("DOTNET_Enable" + instructionSet, "0"));
        Assert.Contains(instructionSet + "=False", output, StringComparison.Ordinal);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1].Trim();
    }
}
