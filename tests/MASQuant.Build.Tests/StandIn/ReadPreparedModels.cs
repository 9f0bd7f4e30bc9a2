extern alias tasks;

using Microsoft.Build.Framework;


namespace MASQuant.Tasks;

/// <summary>The real task, under the assembly that stands in. It also says which process it runs in: the node.</summary>
public sealed class ReadPreparedModels : tasks::MASQuant.Tasks.ReadPreparedModels
{
    public override bool Execute()
    {
        Log.LogMessage(MessageImportance.High, "node {0}", Environment.ProcessId);
        return base.Execute();
    }
}
