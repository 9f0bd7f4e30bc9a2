using System.Globalization;

namespace MASQuant.Engine.Tests.Soak;

/// <summary>Whether a process holds what it held when it was warm.</summary>
internal sealed class SoakBound
{
    /// <summary>How far reachable objects may grow: by what pools of arrays keep for the next prompt. The least that an answer holds are keys and values of 128 tokens, 768 kB: three answers of the thousands that leave theirs are seen.</summary>
    private const long Managed = 2 << 20;

    /// <summary>How far memory in use may grow: by 16 regions of 4 MB, in which the collector takes memory and keeps some between its generations. Beyond objects this is native memory, of which 20 kB an operation are seen in the lane, 3 kB in an hour.</summary>
    private const long Resident = 16 * (4 << 20);

    private readonly List<ProcessState> _warm = [];
    private readonly List<ProcessState> _later = [];

    /// <summary>Whether all that was added is within the bounds, and something was added.</summary>
    public bool Holds => _warm.Count > 0 && _later.Count > 1 && Growth(state => state.Managed) <= Managed && Growth(state => state.Resident) <= Resident
        && Growth(state => state.Descriptors.Count) <= 0 && Growth(state => state.Mappings.Count) <= 0;

    /// <summary>In words.</summary>
    public string Verdict => _warm.Count == 0 || _later.Count < 2
        ? "too short: nothing was measured after it was warm"
        : string.Create(CultureInfo.InvariantCulture, $"{(Holds ? "flat" : "GROWS")}: from warm on at most {Growth(state => state.Resident)} bytes resident, {Growth(state => state.Managed)} bytes of objects, {Growth(state => state.Descriptors.Count)} descriptors and {Growth(state => state.Mappings.Count)} mappings more{New()}");

    /// <summary>Adds what was measured after a round.</summary>
    public void Add(ProcessState state, bool isWarm) => (isWarm ? _later : _warm).Add(state);

    // What has grown is there at two measurements, one after the other; what the runtime has open or unused for a moment is not.
    private long Growth(Func<ProcessState, long> of) => _later.Zip(_later.Skip(1), (first, second) => Math.Min(of(first), of(second))).Max() - _warm.Max(of);

    private string New()
    {
        string[] names = [.. _later.SelectMany(Names).Except(_warm.SelectMany(Names))];
        return names.Length == 0 ? "" : "; seen since: " + string.Join(", ", names);

        static IEnumerable<string> Names(ProcessState state) => state.Descriptors.Concat(state.Mappings);
    }
}
