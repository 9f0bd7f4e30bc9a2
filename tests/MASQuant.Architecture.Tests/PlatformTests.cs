using Mono.Cecil;

namespace MASQuant.Architecture.Tests;

/// <summary>Files and dates are reached in one place, <c>Abstractions/Platform</c>, where tests make them fail: what goes around it is tried by no failure.</summary>
public class PlatformTests
{
    private static readonly Dictionary<string, string> Allowed = new()
    {
        ["FileSystem"] = "the place",
        ["MultimodalChatClient"] = "stamps a response; its package stands on the public surface alone",
        ["TorchLibraries"] = "looks for libtorch before anything is written",
    };

    [Fact]
    public void Files_and_dates_are_reached_in_one_place()
    {
        var found = ProductAssemblies.Projects.SelectMany(ProductAssemblies.Types)
            .Where(type => AllOf(type).SelectMany(inner => inner.Methods).Where(method => method.HasBody).Any(method => method.Body.Instructions.Any(instruction => GoesAround(instruction.Operand as MethodReference))))
            .Select(type => type.Name).Distinct().Order(StringComparer.Ordinal).ToArray();
        string[] differences =
        [
            .. found.Except(Allowed.Keys).Select(name => $"{name} reaches files or the date itself: use FileSystem.Current or Clock, or list it with its reason."),
            .. Allowed.Keys.Except(found).Select(name => $"{name} is listed and does not."),
        ];
        Assert.True(differences.Length == 0, string.Join("\n", differences));
    }

    // To ask whether something is there, or for a folder's time, throws nothing.
    private static bool GoesAround(MethodReference? method) => method is not null && (method.DeclaringType.FullName, method.Name) switch
    {
        ("System.IO.File" or "System.IO.Directory", "Exists" or "GetLastWriteTimeUtc") => false,
        ("System.IO.File" or "System.IO.Directory", _) => true,
        ("System.IO.FileStream" or "System.IO.FileInfo" or "System.IO.DirectoryInfo", ".ctor") => true,
        ("System.IO.FileSystemInfo" or "System.IO.FileInfo" or "System.IO.DirectoryInfo", "Delete" or "MoveTo" or "CopyTo" or "Create") => true,
        ("System.IO.DirectoryInfo", "EnumerateFiles" or "EnumerateDirectories" or "EnumerateFileSystemInfos" or "GetFiles" or "GetDirectories" or "GetFileSystemInfos") => true,
        ("System.IO.MemoryMappedFiles.MemoryMappedFile", "CreateFromFile" or "CreateViewAccessor") => true,
        ("System.DateTime" or "System.DateTimeOffset", "get_UtcNow") => true,
        _ => false,
    };

    private static IEnumerable<TypeDefinition> AllOf(TypeDefinition type) => [type, .. type.NestedTypes.SelectMany(AllOf)];
}
