namespace MASQuant.Formats.Models;

/// <summary>Whether a linear layer has a bias.</summary>
public enum BiasPresence
{
    /// <summary>Never; one that is stored is refused.</summary>
    None,

    /// <summary>Where the checkpoint stores one.</summary>
    Optional,

    /// <summary>Always.</summary>
    Required,
}
