using System.Buffers;
using System.Runtime.CompilerServices;
using MASQuant.Diagnostics;
using MASQuant.Platform;

namespace MASQuant;

/// <summary>Arrays as large as a model, a prompt or a medium makes them. Memory that is not there has a code.</summary>
internal static class LargeArray
{
    /// <summary>An array of zeros.</summary>
    /// <exception cref="MASQuantException">MASQ0956.</exception>
    public static T[] Zeros<T>(int length) => Take(length, static size => new T[size]);

    /// <summary>An array that is not cleared.</summary>
    /// <param name="length">The number of elements.</param>
    /// <param name="pinned">Whether it never moves.</param>
    /// <exception cref="MASQuantException">MASQ0956.</exception>
    public static T[] Uninitialized<T>(int length, bool pinned = false)
        where T : unmanaged
        => pinned ? Take(length, static size => GC.AllocateUninitializedArray<T>(size, pinned: true)) : Take(length, static size => GC.AllocateUninitializedArray<T>(size));

    /// <summary>An array of at least so many elements, to be returned to the shared pool.</summary>
    /// <exception cref="MASQuantException">MASQ0956.</exception>
    public static T[] Rent<T>(int length) => Take(length, static size => ArrayPool<T>.Shared.Rent(size));

    private static T[] Take<T>(int length, Func<int, T[]> allocate)
    {
        var bytes = (long)length * Unsafe.SizeOf<T>();
        try
        {
            Memory.Taking(bytes);
            var array = allocate(length);
            HugePages.Advise(array);
            return array;
        }
        catch (OutOfMemoryException e)
        {
            throw new MASQuantException(DiagnosticCodes.NotEnoughMemory, null,
                $"A piece of {bytes} bytes of memory cannot be had. Use a machine, or a container, with more memory, shorter prompts and smaller media, or fewer calibration samples.", e);
        }
    }
}
