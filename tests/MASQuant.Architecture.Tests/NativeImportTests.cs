using Mono.Cecil;

namespace MASQuant.Architecture.Tests;

/// <summary>A function of the system says on which systems it is called, so that the compiler finds calls without a guard (CA1416), and whoever imports one has a way on Linux, macOS and Windows alike.</summary>
public class NativeImportTests
{
    private static readonly string[] Systems = ["linux", "macos", "windows"];

    // Who needs no function on a system, and why.
    private static readonly Dictionary<(string Name, string System), string> NotNeeded = new()
    {
        [("CodeMemory", "macos")] = "it maps no code there: the kernels are C#",
        [("FolderSync", "windows")] = "its journal keeps names, and there is no such call",
        [("PageAdvice", "windows")] = "it takes pages back by itself when it wants them, and large ones want a privilege that few accounts have",
        [("RegularFile", "windows")] = "it opens no pipe by a path like that of a file",
        [("TileKernelAmx", "macos")] = "no processor that it runs on has tiles",
        [("TileKernelAmx", "windows")] = "it is not asked for tiles: there was no machine to try it on",
    };

    [Fact]
    public void An_imported_function_has_a_counterpart_on_every_system()
    {
        var types = ProductAssemblies.Projects.SelectMany(ProductAssemblies.Types).SelectMany(AllOf)
            .Select(type => (type.Name, Imports: Imports(type).ToArray())).Where(type => type.Imports.Length > 0).ToArray();
        (string Name, string System)[] lacking = [.. types.SelectMany(type => Systems.Where(system => !type.Imports.Any(import => Runs(import, system))).Select(system => (type.Name, system)))];
        string[] differences =
        [
            .. types.SelectMany(type => type.Imports.Where(import => !IsMarked(import)).Select(import => $"{type.Name}.{import.Name} does not say where it may be called: mark it by SupportedOSPlatform or UnsupportedOSPlatform.")),
            .. lacking.Except(NotNeeded.Keys).Select(place => $"{place.Name} imports nothing for {place.System}: give it a counterpart, or list it with its reason."),
            .. NotNeeded.Keys.Except(lacking).Select(place => $"{place.Name} is listed for {place.System} and imports something for it, or nothing at all."),
        ];
        Assert.NotEmpty(types);
        Assert.True(differences.Length == 0, string.Join("\n", differences));
    }

    // The generator of imports puts the function itself into a local one, "<Name>g____PInvoke|0_0": what was written is the method around it.
    private static IEnumerable<MethodDefinition> Imports(TypeDefinition type)
        => type.Methods.Where(method => method.IsPInvokeImpl)
            .Select(method => method.Name.StartsWith('<') ? type.Methods.First(outer => outer.Name == method.Name[1..method.Name.IndexOf('>')] && !outer.IsPInvokeImpl) : method)
            .Concat(type.Methods.Where(method => !method.IsPInvokeImpl && method.CustomAttributes.Any(attribute => attribute.AttributeType.Name == "LibraryImportAttribute")))
            .Distinct();

    private static bool IsMarked(MethodDefinition import) => Marks(import, "SupportedOSPlatformAttribute").Concat(Marks(import, "UnsupportedOSPlatformAttribute")).Any();

    private static bool Runs(MethodDefinition import, string system)
    {
        var supported = Marks(import, "SupportedOSPlatformAttribute").ToArray();
        return supported.Length > 0 ? supported.Contains(system) : !Marks(import, "UnsupportedOSPlatformAttribute").Contains(system);
    }

    private static IEnumerable<string> Marks(MethodDefinition import, string attribute)
        => import.CustomAttributes.Where(mark => mark.AttributeType.Name == attribute).Select(mark => (string)mark.ConstructorArguments[0].Value);

    private static IEnumerable<TypeDefinition> AllOf(TypeDefinition type) => [type, .. type.NestedTypes.SelectMany(AllOf)];
}
