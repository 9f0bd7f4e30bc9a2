using System.Reflection;
using System.Runtime.CompilerServices;
using MASQuant.Engine.Gemm;
using MASQuant.Engine.Gemm.Cpu;
using MASQuant.Engine.Layers;
using MASQuant.Engine.Tensors;
using MASQuant.Tests.Guards;

namespace MASQuant.Engine.Tests.Guards;

/// <summary>Puts the working memory that products keep for themselves on guarded pages, as long as the product before asked for and no longer.</summary>
internal static unsafe class GuardedBuffers
{
    private const BindingFlags Private = BindingFlags.NonPublic | BindingFlags.Instance;

    /// <summary>A buffer with the content of another.</summary>
    public static AlignedBuffer<T> Of<T>(GuardedMemory memory, AlignedBuffer<T> buffer)
        where T : unmanaged
    {
        var guarded = (AlignedBuffer<T>)RuntimeHelpers.GetUninitializedObject(typeof(AlignedBuffer<T>));
        var pointer = memory.Pointer<T>(new ReadOnlySpan<T>(buffer.Pointer, (int)buffer.Length));
        Set(guarded, nameof(buffer.Length), buffer.Length);
        Set(guarded, nameof(buffer.Pointer), Pointer.Box(pointer, typeof(T*)));
        return guarded;
    }

    /// <summary>Forgets the calling thread's working memory.</summary>
    public static void Forget() => Current().SetValue(null, null);

    /// <summary>Guards the calling thread's working memory.</summary>
    public static void GuardScratch(GuardedMemory memory)
    {
        foreach (var field in typeof(Scratch).GetFields(Private))
        {
            if (field.GetValue(Scratch.Current) is AlignedBuffer<byte> buffer)
            {
                field.SetValue(Scratch.Current, Of(memory, buffer));
            }
        }
    }

    /// <summary>Guards tokens, in row order and in the kernels' order.</summary>
    public static void Guard(GuardedMemory memory, PreparedTokens tokens)
    {
        Set(tokens, nameof(tokens.Smoothed), memory.Matrix(tokens.Smoothed));
        Set(tokens, nameof(tokens.Codes), memory.Array(tokens.Codes));
        Set(tokens, nameof(tokens.Scales), memory.Array(tokens.Scales));
        Replace<byte>(memory, tokens.Packed, "_codes");
        Replace<int>(memory, tokens.Packed, "_sums");
    }

    /// <summary>Guards attention's working memory.</summary>
    public static void Guard(GuardedMemory memory, AttentionTile tile)
    {
        foreach (var name in new[] { "_queries", "_scores", "_weights", "_sums", "_panel" })
        {
            Replace<float>(memory, tile, name);
        }
    }

    /// <summary>Guards a cache's blocks.</summary>
    public static void Guard(GuardedMemory memory, KvCacheLayer cache)
    {
        var blocks = (List<AlignedBuffer<byte>>)typeof(KvCacheLayer).GetField("_blocks", Private)!.GetValue(cache)!;
        for (var block = 0; block < blocks.Count; block++)
        {
            blocks[block] = Of(memory, blocks[block]);
        }
    }

    /// <summary>Guards a packed weight.</summary>
    public static void Guard(GuardedMemory memory, DenseWeight weight)
    {
        Replace<float>(memory, weight.Panels, "_floats");
        Replace<ushort>(memory, weight.Panels, "_halves");
    }

    private static FieldInfo Current() => typeof(Scratch).GetField("_current", BindingFlags.NonPublic | BindingFlags.Static)!;

    private static void Replace<T>(GuardedMemory memory, object owner, string name)
        where T : unmanaged
    {
        var field = owner.GetType().GetField(name, Private)!;
        if (field.GetValue(owner) is AlignedBuffer<T> buffer)
        {
            field.SetValue(owner, Of(memory, buffer));
        }
    }

    private static void Set(object owner, string property, object? value) => owner.GetType().GetField($"<{property}>k__BackingField", Private)!.SetValue(owner, value);
}
