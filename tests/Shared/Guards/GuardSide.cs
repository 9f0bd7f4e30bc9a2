namespace MASQuant.Tests.Guards;

/// <summary>On which side of a buffer the page lies that nobody may touch.</summary>
public enum GuardSide
{
    /// <summary>Right behind the buffer's last byte.</summary>
    Behind,

    /// <summary>Right before its first; before the header of an array, 24 bytes earlier.</summary>
    Before,
}
