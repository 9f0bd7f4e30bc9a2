using System.Runtime.CompilerServices;

namespace MASQuant.Cli.Tests;

/// <summary>Tests do not use the cache of whoever runs them; those about a cache name one.</summary>
internal static class NoCache
{
    [ModuleInitializer]
    internal static void Set() => Environment.SetEnvironmentVariable("MASQuantCache", "false");
}
