namespace MASQuant.Engine.Layers;

/// <summary>A state of constant size before and behind the last pass over tokens: the next pass reads the second and writes it in place of the first, so that a pass that fails or is taken back costs no copy.</summary>
/// <param name="size">Values of the state; all are 0 before the first token.</param>
internal sealed class PassStates(int size)
{
    private float[] _before = [];
    private float[] _current = [];

    /// <summary>Tokens behind the last pass.</summary>
    public int Length { get; private set; }

    /// <summary>Tokens before the last pass.</summary>
    public int LengthBefore { get; private set; }

    /// <summary>Values of the state.</summary>
    public int Size => size;

    /// <summary>What both take of memory.</summary>
    public long Bytes => (_before.LongLength + _current.LongLength) * sizeof(float);

    /// <summary>Room for the state behind the pass that begins: not the one that it reads.</summary>
    public float[] Next
    {
        get
        {
            Reserve();
            return _before;
        }
    }

    /// <summary>The state that the pass that begins reads.</summary>
    public float[] Read
    {
        get
        {
            Reserve();
            return _current;
        }
    }

    /// <summary>Ends a pass that has written <see cref="Next"/>.</summary>
    /// <param name="tokens">Its tokens.</param>
    public void Advance(int tokens)
    {
        (_before, _current) = (_current, _before);
        (LengthBefore, Length) = (Length, checked(Length + tokens));
    }

    /// <summary>Goes back to the state before the last pass.</summary>
    public void TakeBack()
    {
        (_before, _current) = (_current, _before);
        Length = LengthBefore;
    }

    /// <summary>Takes a state behind so many tokens in place of its own.</summary>
    public void Set(ReadOnlySpan<float> state, int length)
    {
        Reserve();
        state.CopyTo(_current);
        LengthBefore = Length = length;
    }

    /// <summary>Forgets all tokens.</summary>
    public void Clear()
    {
        _current.AsSpan().Clear();
        LengthBefore = Length = 0;
    }

    private void Reserve()
    {
        if (_current.Length < size)
        {
            (_before, _current) = (LargeArray.Zeros<float>(size), LargeArray.Zeros<float>(size)); // both, or none where memory ends
        }
    }
}
