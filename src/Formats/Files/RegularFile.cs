using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using MASQuant.Diagnostics;

namespace MASQuant.Formats.Files;

/// <summary>Input files are files: to open a pipe waits for whoever writes it, and a device such as <c>/dev/zero</c> has no end.</summary>
public static partial class RegularFile
{
    private const int TypeBits = 0xF000;
    private const int Regular = 0x8000;
    private const int Folder = 0x4000;

    /// <summary>Whether a path leads to a file, as far as the system tells; a folder, or nothing, is for whoever opens it.</summary>
    public static bool Is(string path) => Mode(path) is not { } mode || (mode & TypeBits) is Regular or Folder;

    /// <summary>Refuses pipes, sockets and devices, behind links too. What is not there is for whoever opens it.</summary>
    /// <exception cref="MASQuantException">MASQ0101: it is no regular file.</exception>
    public static void Require(string path)
    {
        if (!Is(path))
        {
            throw new MASQuantException(DiagnosticCodes.FileNotReadable, path, "It is no regular file but a pipe, a socket or a device. Give a file.");
        }
    }

    // Null where the system does not tell: Windows opens no pipe by a path like this.
    private static int? Mode(string path)
    {
        Span<byte> status = stackalloc byte[256]; // Both structures are shorter.
        try
        {
            if (OperatingSystem.IsLinux())
            {
                const int CurrentFolder = -100;
                const uint TypeOnly = 1;
                const int ModeOffset = 28;
                return StatX(CurrentFolder, path, 0, TypeOnly, ref status[0]) == 0 ? BitConverter.ToUInt16(status[ModeOffset..]) : null;
            }

            if (OperatingSystem.IsMacOS())
            {
                const int ModeOffset = 4;
                var failed = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? Stat(path, ref status[0]) : StatOfIntel(path, ref status[0]);
                return failed == 0 ? BitConverter.ToUInt16(status[ModeOffset..]) : null;
            }
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException)
        {
            // A C library that is older than the call.
        }

        return null;
    }

    [SupportedOSPlatform("linux")]
    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, ref byte status);

    // Processors of Intel have an older structure too, and this name for today's; Apple's have one, and no such name.
    [SupportedOSPlatform("macos")]
    [LibraryImport("libc", EntryPoint = "stat", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Stat(string path, ref byte status);

    [SupportedOSPlatform("macos")]
    [LibraryImport("libc", EntryPoint = "stat$INODE64", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatOfIntel(string path, ref byte status);
}
