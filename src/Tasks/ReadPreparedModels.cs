using Microsoft.Build.Framework;

namespace MASQuant.Tasks;

/// <summary>Gives the answer of <see cref="ComputeModelKeys"/> again when nothing that it rests on has changed: a build with nothing to do starts no process.</summary>
/// <remarks>
/// Unlike the other tasks it runs inside MSBuild, where node reuse may keep an older version of it alive. That cannot mix versions: it repeats what a task of the present tools wrote, if the tools are
/// still the same files, and otherwise says nothing.
/// </remarks>
public class ReadPreparedModels : Microsoft.Build.Utilities.Task
{
    /// <summary>The <c>QuantizedModel</c> items.</summary>
    [Required]
    public ITaskItem[] Models { get; set; } = [];

    /// <summary>The folder of finished artifacts.</summary>
    [Required]
    public string Store { get; set; } = "";

    /// <summary>As <see cref="ComputeModelKeys.ComputeAssembly"/>.</summary>
    public string ComputeAssembly { get; set; } = "";

    /// <summary>The file that <see cref="ComputeModelKeys.State"/> names.</summary>
    [Required]
    public string State { get; set; } = "";

    /// <summary>Whether the answer is known.</summary>
    [Output]
    public bool Known { get; set; }

    /// <summary>As <see cref="ComputeModelKeys.KeyedModels"/>; empty unless <see cref="Known"/>.</summary>
    [Output]
    public ITaskItem[] KeyedModels { get; set; } = [];

    /// <summary>As <see cref="ComputeModelKeys.InputFiles"/>; empty unless <see cref="Known"/>.</summary>
    [Output]
    public ITaskItem[] InputFiles { get; set; } = [];

    /// <inheritdoc/>
    public override bool Execute()
    {
        try
        {
            var answers = new List<ITaskItem>();
            var inputs = new List<ITaskItem>();
            Known = PreparedModels.TryRead(State, PreparedModels.Question(Models, Store, ComputeAssembly), answers, inputs);
            if (Known)
            {
                KeyedModels = answers.ToArray();
                InputFiles = inputs.ToArray();
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or IndexOutOfRangeException)
        {
            // A file of another version, or one that is just being replaced: ask.
        }

        return true;
    }
}
