namespace MASQuant;

/// <summary>Who speaks.</summary>
public enum ChatRole
{
    /// <summary>The instructions that come first.</summary>
    System,

    /// <summary>The person who asks.</summary>
    User,

    /// <summary>The model.</summary>
    Assistant,
}
