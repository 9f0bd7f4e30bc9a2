namespace MASQuant.Peers;

/// <summary>A decoder of random weights.</summary>
internal interface IPeer : IDisposable
{
    string Name { get; }

    /// <summary>Evaluates a prompt of so many tokens in place of what it has, and the logits after its last one.</summary>
    void Prefill(int tokens);

    /// <summary>Evaluates one further token of each of so many sequences behind the first's prompt, and their logits; forgets them.</summary>
    void Decode(int sequences);
}
