using System.Globalization;
using System.Text;
using MASQuant.Formats.Files;
using MASQuant.Platform;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace MASQuant.Tasks;

/// <summary>What <see cref="ComputeModelKeys"/> answered, and the facts that the answer rests on: as long as they hold, nobody needs to ask again.</summary>
/// <remarks>
/// Lines of tab-separated fields: the format, what was asked, then facts (<c>file</c> path, size and time; <c>folder</c> path and time, which a new or missing file changes; <c>there</c> path; <c>gone</c> path)
/// and answers (<c>model</c> name and metadata; <c>input</c> path). <see cref="ReadPreparedModels"/> runs inside MSBuild, so reading avoids whatever takes long to compile.
/// </remarks>
internal static class PreparedModels
{
    private const string Format = "masquant prepared 1";
    private static readonly TimeSpan ClockStep = TimeSpan.FromMilliseconds(50); // file systems' clocks are coarser, and may lag

    /// <summary>Everything that was asked, as one text; empty when it does not fit the format.</summary>
    public static string Question(ITaskItem[] models, string store, string computeAssembly)
    {
        var text = new StringBuilder(Format).Append('\t').Append(store).Append('\t').Append(computeAssembly);
        foreach (var model in models)
        {
            text.Append("\tmodel ").Append(model.ItemSpec);
            var metadata = model.CloneCustomMetadata();
            var names = new string[metadata.Count];
            metadata.Keys.CopyTo(names, 0);
            Array.Sort(names, StringComparer.Ordinal);
            foreach (var name in names)
            {
                text.Append('\t').Append(name).Append('=').Append(metadata[name]);
            }
        }

        return text.ToString();
    }

    /// <summary>Remembers an answer. An artifact that is not there yet is counted as there: until it is, the facts do not hold.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="question">What was asked.</param>
    /// <param name="answers">The models.</param>
    /// <param name="inputs">The models' files.</param>
    /// <param name="stamps">These and the tools, as they were when they were hashed.</param>
    /// <param name="started">When the work on the answer began: a folder that has changed since may have other files than the answer knows, and nothing is remembered.</param>
    /// <param name="designTime">Whether manifests suffice.</param>
    public static void Write(string path, string question, IEnumerable<ITaskItem> answers, IReadOnlyCollection<string> inputs, IEnumerable<(string Path, string Stamp)> stamps, DateTime started, bool designTime)
    {
        var folders = inputs.Select(file => Path.GetDirectoryName(file)!).Distinct().ToArray();
        if (question.AsSpan().ContainsAny('\r', '\n') || folders.Any(folder => Directory.GetLastWriteTimeUtc(folder) > started - ClockStep))
        {
            FileSystem.Current.Delete(path);
            return;
        }

        var lines = new List<string[]> { new[] { question } };
        lines.AddRange(stamps.Select(file => new[] { "file", file.Path, file.Stamp }));
        lines.AddRange(folders.Select(folder => new[] { "folder", folder, FolderStamp(folder) }));
        lines.AddRange(inputs.Select(input => new[] { "input", input }));
        foreach (var answer in answers)
        {
            answer.SetMetadata("Quantized", "true");
            lines.Add(["there", answer.GetMetadata("Manifest")]);
            if (!designTime)
            {
                lines.Add(["there", answer.GetMetadata("Artifact")]);
                lines.Add(["gone", answer.GetMetadata("UploadMark")]);
            }

            var metadata = answer.CloneCustomMetadata();
            lines.Add(["model", answer.ItemSpec, .. metadata.Keys.Cast<string>().SelectMany(name => new[] { name, metadata[name] as string ?? "" })]);
        }

        // A name that the format has no form for is not remembered.
        if (lines.Skip(1).Any(line => line.Any(field => field.AsSpan().ContainsAny('\t', '\r', '\n'))))
        {
            FileSystem.Current.Delete(path);
            return;
        }

        AtomicFile.Write(path, Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => string.Join('\t', line) + "\n"))));
    }

    /// <summary>The answer to <paramref name="question"/>, if it is known and still right; a damaged file knows none.</summary>
    public static bool TryRead(string path, string question, List<ITaskItem> answers, List<ITaskItem> inputs)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        var lines = FileSystem.Current.ReadAllText(path).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length == 0 || lines[0] != question)
        {
            return false;
        }

        for (var i = 1; i < lines.Length; i++)
        {
            var fields = lines[i].Split('\t');
            switch (fields[0])
            {
                case "file" when fields.Length == 3 && Stamp(fields[1]) == fields[2]:
                case "folder" when fields.Length == 3 && FolderStamp(fields[1]) == fields[2]:
                case "there" when fields.Length == 2 && File.Exists(fields[1]):
                case "gone" when fields.Length == 2 && !File.Exists(fields[1]):
                    break;
                case "input" when fields.Length == 2:
                    inputs.Add(EscapedItem.Of(fields[1]));
                    break;
                case "model" when fields.Length % 2 == 0 && Answer(fields) is { } answer:
                    answers.Add(answer);
                    break;
                default:
                    return false;
            }
        }

        return answers.Count > 0;
    }

    // Null for names that MSBuild does not take: the file is damaged.
    private static TaskItem? Answer(string[] fields)
    {
        try
        {
            var answer = EscapedItem.Of(fields[1]);
            for (var i = 2; i < fields.Length; i += 2)
            {
                answer.Set(fields[i], fields[i + 1]);
            }

            return answer;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static string Stamp(string path) => File.Exists(path) ? FileStamp.Of(path) : "";

    private static string FolderStamp(string path) => Directory.GetLastWriteTimeUtc(path).Ticks.ToString(CultureInfo.InvariantCulture);
}
