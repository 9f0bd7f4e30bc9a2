namespace MASQuant.Delivery.Stores;

/// <summary>Where a delivered model goes.</summary>
public interface IDeliveryTarget
{
    /// <summary>Receives the model's files, the artifact last.</summary>
    string Folder { get; }

    /// <summary>Holds locks and unfinished runs where no shared cache does.</summary>
    string Root { get; }

    /// <summary>Whether the very model is there already.</summary>
    bool IsComplete { get; }

    /// <summary>Notes whether the model is due at the remote cache.</summary>
    void MarkUpload(bool isDue);

    /// <summary>Removes what nobody uses any more; called when a shared cache has it all.</summary>
    void Tidy();
}
