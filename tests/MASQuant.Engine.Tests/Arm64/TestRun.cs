using System.Reflection;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace MASQuant.Engine.Tests.Arm64;

/// <summary>This assembly's tests in this process, where no test host runs: under an emulator.</summary>
internal sealed class TestRun : LongLivedMarshalByRefObject, IMessageSink
{
    private const int LongSeconds = 10; // A class that takes longer is told: an emulator's lane has minutes.
    private readonly ManualResetEventSlim _discovered = new();
    private readonly ManualResetEventSlim _done = new();
    private readonly List<ITestCase> _cases = [];
    private int _passed;
    private int _failed;
    private int _skipped;

    /// <summary>Runs the tests of some classes and folders, by their names, those of slow lanes aside, and those whose names contain what stands behind a minus.</summary>
    /// <returns>0 when all have passed, and there were any.</returns>
    public static int Run(string[] names)
    {
        var run = new TestRun();
        var assembly = Assembly.GetExecutingAssembly();
        using var discoverer = new XunitTestFrameworkDiscoverer(Reflector.Wrap(assembly), new NoSources(), run);
        discoverer.Find(includeSourceInformation: false, run, new Options());
        run._discovered.Wait();
        IXunitTestCase[] chosen = [.. run._cases.Where(test => names.Any(name => IsIn(test.TestMethod.TestClass.Class.Name, name)) && !names.Any(name => IsLeftOut(test, name)) && !test.Traits.ContainsKey("Lane")).Cast<IXunitTestCase>()];
        if (chosen.Length == 0)
        {
            Console.WriteLine($"No test is in a class or a folder named {string.Join(", ", names)}.");
            return 1;
        }

        using var executor = new XunitTestFrameworkExecutor(assembly.GetName(), new NoSources(), run);
        executor.RunTests(chosen, run, new Options());
        run._done.Wait();
        Console.WriteLine($"{run._passed} passed, {run._failed} failed, {run._skipped} skipped");
        return run._failed == 0 ? 0 : 1;
    }

    /// <inheritdoc/>
    public bool OnMessage(IMessageSinkMessage message)
    {
        switch (message)
        {
            case ITestCaseDiscoveryMessage found:
                _cases.Add(found.TestCase);
                break;
            case IDiscoveryCompleteMessage:
                _discovered.Set();
                break;
            case ITestPassed:
                _passed++;
                break;
            case ITestSkipped skipped:
                _skipped++;
                Console.WriteLine($"{skipped.Test.DisplayName}: skipped, {skipped.Reason}");
                break;
            case ITestFailed failed:
                _failed++;
                Console.WriteLine($"{failed.Test.DisplayName}: {string.Join('\n', failed.Messages)}\n{string.Join('\n', failed.StackTraces)}");
                break;
            case ITestClassFinished { ExecutionTime: > LongSeconds } slow:
                Console.WriteLine($"{slow.ExecutionTime:F0} s in {slow.TestClass.Class.Name}");
                break;
            case ITestAssemblyFinished:
                _done.Set();
                break;
        }

        return true;
    }

    // A folder is a part of the namespace.
    private static bool IsIn(string type, string name) => $".{type}.".Contains($".{name}.", StringComparison.Ordinal);

    private static bool IsLeftOut(ITestCase test, string name) => name.StartsWith('-') && test.DisplayName.Contains(name[1..], StringComparison.Ordinal);

    private sealed class NoSources : LongLivedMarshalByRefObject, ISourceInformationProvider
    {
        public ISourceInformation GetSourceInformation(ITestCase testCase) => new SourceInformation();

        public void Dispose()
        {
        }
    }

    // One test after the other: an emulator has all cores busy with one.
    private sealed class Options : ITestFrameworkDiscoveryOptions, ITestFrameworkExecutionOptions
    {
        private readonly Dictionary<string, object?> _values = new() { ["xunit.execution.DisableParallelization"] = true };

        public TValue GetValue<TValue>(string name) => _values.TryGetValue(name, out var value) ? (TValue)value! : default!;

        public void SetValue<TValue>(string name, TValue value) => _values[name] = value;
    }
}
