using MASQuant.Tests;

namespace MASQuant.Architecture.Tests;

/// <summary>Which folder of <c>src</c> needs which, named <c>Engine/Gemm/Cpu</c>.</summary>
internal static class FolderGraph
{
    /// <summary>The edges that the compiled code has.</summary>
    public static SortedSet<(string From, string To)> Actual()
    {
        var folders = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var project in ProductAssemblies.Projects)
        {
            foreach (var type in ProductAssemblies.Types(project))
            {
                folders.TryAdd(type.FullName, Folder(project, type.Namespace));
            }
        }

        var edges = new SortedSet<(string From, string To)>();
        foreach (var project in ProductAssemblies.Projects)
        {
            foreach (var type in ProductAssemblies.Types(project))
            {
                var from = Folder(project, type.Namespace);
                edges.UnionWith(TypeUses.Of(type).Select(used => used.FullName).Where(folders.ContainsKey).Select(used => (from, folders[used])).Where(edge => edge.Item1 != edge.Item2));
            }
        }

        return edges;
    }

    /// <summary>The edges that <c>AllowedEdges.txt</c> lists: a folder, a colon, and the folders that it may use.</summary>
    public static SortedSet<(string From, string To)> Allowed()
        => [.. File.ReadLines(Path.Combine(RepositoryFiles.Root, "tests", "MASQuant.Architecture.Tests", "AllowedEdges.txt"))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split(": "))
            .SelectMany(parts => parts[1].Split(' ').Select(to => (parts[0], to)))];

    /// <summary>A cycle of folders, first and last the same; empty when there is none.</summary>
    public static IReadOnlyList<string> FindCycle(IReadOnlyCollection<(string From, string To)> edges)
    {
        var targets = edges.ToLookup(edge => edge.From, edge => edge.To);
        var done = new HashSet<string>();
        var path = new List<string>();
        foreach (var folder in edges.Select(edge => edge.From).Distinct())
        {
            if (Visit(folder) is { Count: > 0 } cycle)
            {
                return cycle;
            }
        }

        return [];

        IReadOnlyList<string> Visit(string folder)
        {
            if (path.IndexOf(folder) is >= 0 and var start)
            {
                return [.. path[start..], folder];
            }

            if (!done.Add(folder))
            {
                return [];
            }

            path.Add(folder);
            foreach (var target in targets[folder])
            {
                if (Visit(target) is { Count: > 0 } cycle)
                {
                    return cycle;
                }
            }

            path.RemoveAt(path.Count - 1);
            return [];
        }
    }

    private static string Folder(string project, string name)
        => (project + name[ProductAssemblies.RootNamespace(project).Length..]).Replace('.', '/');
}
