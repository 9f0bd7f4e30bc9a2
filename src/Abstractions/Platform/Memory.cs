namespace MASQuant.Platform;

/// <summary>Who hears of large arrays before they are allocated: tests refuse the n-th.</summary>
internal static class Memory
{
    private static readonly AsyncLocal<Action<long>?> Watching = new();

    /// <summary>To be called before so many bytes are allocated.</summary>
    /// <exception cref="OutOfMemoryException">A test has it so.</exception>
    public static void Taking(long bytes) => Watching.Value?.Invoke(bytes);

    /// <summary>Lets a watch hear, for this thread and what it starts from here on; null ends it.</summary>
    public static void Watch(Action<long>? watch) => Watching.Value = watch;
}
