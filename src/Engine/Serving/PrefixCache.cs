using MASQuant.Engine.Generation;
using MASQuant.Engine.Models;

namespace MASQuant.Engine.Serving;

/// <summary>What ended answers have left, keys and values or states, for prompts that begin as they did: the turns of a conversation, or a system message and pictures that many share. Threads may share it.</summary>
/// <param name="mostBytes">What they may take of memory; what was used longest ago goes first.</param>
internal sealed class PrefixCache(long mostBytes)
{
    private readonly LinkedList<Entry> _entries = [];
    private long _bytes;

    /// <summary>Whether there is room for anything.</summary>
    public bool IsUsed => mostBytes > 0;

    /// <summary>Finds the entry behind the most of whose tokens a prompt can begin; one of the prompt's is left to be evaluated.</summary>
    /// <returns>The entry, and how many of its tokens are the prompt's and can be used, null and 0 where none are; and how many are the prompt's with any entry, of which later prompts may begin alike.</returns>
    public (IKeptTokens? Kept, int Tokens, int Shared) Find(PromptTokens prompt)
    {
        lock (_entries)
        {
            var (best, most, shared) = ((LinkedListNode<Entry>?)null, 0, 0);
            for (var node = _entries.First; node is not null; node = node.Next)
            {
                var common = Math.Min(node.Value.Tokens.CommonLength(prompt), prompt.Ids.Length - 1);
                var usable = node.Value.Kept.Usable(common);
                (best, most, shared) = usable > most ? (node, usable, Math.Max(shared, common)) : (best, most, Math.Max(shared, common));
            }

            if (best is null)
            {
                return (null, 0, shared);
            }

            _entries.Remove(best);
            _entries.AddFirst(best);
            return (best.Value.Kept, most, shared);
        }
    }

    /// <summary>Adds an entry in place of those that it continues. One that another continues, or that is larger than all room, is not added.</summary>
    /// <param name="tokens">As many as are kept.</param>
    /// <param name="kept">Their keys and values.</param>
    public void Add(PromptTokens tokens, IKeptTokens kept)
    {
        if (kept.Bytes > mostBytes)
        {
            return;
        }

        lock (_entries)
        {
            for (var node = _entries.First; node is not null;)
            {
                var next = node.Next;
                var common = node.Value.Tokens.CommonLength(tokens);
                if (common == tokens.Ids.Length)
                {
                    _entries.Remove(node);
                    _entries.AddFirst(node);
                    return;
                }

                if (common == node.Value.Tokens.Ids.Length)
                {
                    Remove(node);
                }

                node = next;
            }

            _entries.AddFirst(new Entry(tokens, kept));
            _bytes += kept.Bytes;
            while (_bytes > mostBytes)
            {
                Remove(_entries.Last!);
            }
        }
    }

    private void Remove(LinkedListNode<Entry> node)
    {
        _entries.Remove(node);
        _bytes -= node.Value.Kept.Bytes;
    }

    private sealed record Entry(PromptTokens Tokens, IKeptTokens Kept);
}
