using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MASQuant.Ptx.Syntax;

namespace MASQuant.Ptx.Execution;

/// <summary>32 threads and their registers, lane beside lane so that one instruction is a few vector operations. Reused from block to block.</summary>
internal sealed unsafe class Warp : IDisposable
{
    public const int Lanes = 32;

    private readonly PtxEntry _entry;
    private readonly uint* _words;
    private readonly ulong* _longs;
    private readonly uint[] _predicates;
    private readonly uint[] _wordsDefined;
    private readonly uint[] _longsDefined;
    private readonly uint[] _predicatesDefined;

    public Warp(PtxEntry entry, Block block, int index)
    {
        (_entry, Block, Index) = (entry, block, index);
        _words = (uint*)NativeMemory.AlignedAlloc((nuint)(Math.Max(1, entry.Words) * Lanes * sizeof(uint)), 64);
        _longs = (ulong*)NativeMemory.AlignedAlloc((nuint)(Math.Max(1, entry.Longs) * Lanes * sizeof(ulong)), 64);
        _predicates = new uint[entry.Predicates];
        _wordsDefined = new uint[entry.Words];
        _longsDefined = new uint[entry.Longs];
        _predicatesDefined = new uint[entry.Predicates];
        Copies = new AsyncCopies(this);
        Products = new WarpgroupProducts(this, entry);
    }

    public Block Block { get; }

    /// <summary>The warp's place in its block.</summary>
    public int Index { get; }

    public WarpFlow Flow { get; } = new();

    public AsyncCopies Copies { get; }

    public WarpgroupProducts Products { get; }

    /// <summary>What the warp is ordered behind; accesses of its lanes on both sides of a step of its own entry are ordered.</summary>
    public int[] Clock { get; } = VectorClock.New();

    /// <summary>What some lanes are ordered behind that have waited alone, until the warp meets.</summary>
    public LaneClock Ahead { get; } = new();

    /// <summary>The warp stands at the barrier of the block.</summary>
    public bool AtBarrier { get; set; }

    /// <summary>What the warp waits for: a phase's end that it has asked for and not seen.</summary>
    public (PhaseBarrier Barrier, uint Parity)? Waiting { get; set; }

    /// <summary>Registers of each thread, as <c>setmaxnreg</c> has left them.</summary>
    public int Registers { get; set; }

    /// <summary>Whether the warp can go on.</summary>
    public bool IsReady => Flow.Live != 0 && !AtBarrier && (Waiting is not { } phase || phase.Barrier.HasPassed(phase.Parity));

    /// <summary>The warp's lanes have met: what one was behind, all are.</summary>
    public void Meet()
    {
        Ahead.End(Clock);
        Clock[Index]++;
    }

    /// <summary>What <paramref name="lane"/> is ordered behind.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int[] ClockOf(int lane) => (Ahead.Lanes >> lane & 1) != 0 ? Ahead.Clock : Clock;

    /// <summary>Forgets all registers and starts at the entry with <paramref name="threads"/> lanes.</summary>
    public void Reset(int threads)
    {
        Array.Clear(_wordsDefined);
        Array.Clear(_longsDefined);
        Array.Clear(_predicatesDefined);
        foreach (var (register, value) in _entry.WordConstants)
        {
            new Span<uint>(WriteWord(register, ~0u), Lanes).Fill(value);
        }

        foreach (var (register, value) in _entry.LongConstants)
        {
            new Span<ulong>(WriteLong(register, ~0u), Lanes).Fill(value);
        }

        foreach (var (register, name) in _entry.Specials)
        {
            var lanes = WriteWord(register, ~0u);
            for (var lane = 0; lane < Lanes; lane++)
            {
                lanes[lane] = Special(name, lane);
            }
        }

        Array.Clear(Clock);
        Clock[Index] = 1;
        Ahead.End(VectorClock.New());
        (AtBarrier, Waiting) = (false, null);
        Copies.Clear();
        Products.Clear();
        Flow.Start(threads == Lanes ? ~0u : (1u << threads) - 1);
    }

    /// <summary>The 32 lanes of a register, all lanes of <paramref name="mask"/> written before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint* ReadWord(int register, uint mask)
    {
        if ((mask & ~_wordsDefined[register]) != 0)
        {
            Undefined();
        }

        return _words + (register * Lanes);
    }

    /// <summary>The 32 lanes of a register of which <paramref name="mask"/> is about to be written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint* WriteWord(int register, uint mask)
    {
        _wordsDefined[register] |= mask;
        return _words + (register * Lanes);
    }

    /// <summary>Until it is written again, nothing may read the register; its bits stay.</summary>
    public void ForgetWord(int register) => _wordsDefined[register] = 0;

    /// <summary>Whether nothing has been written to the register since it was forgotten.</summary>
    public bool IsForgotten(int register) => _wordsDefined[register] == 0;

    /// <inheritdoc cref="ReadWord"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong* ReadLong(int register, uint mask)
    {
        if ((mask & ~_longsDefined[register]) != 0)
        {
            Undefined();
        }

        return _longs + (register * Lanes);
    }

    /// <inheritdoc cref="WriteWord"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong* WriteLong(int register, uint mask)
    {
        _longsDefined[register] |= mask;
        return _longs + (register * Lanes);
    }

    /// <summary>One bit per lane.</summary>
    public uint ReadPredicate(int register, uint mask)
    {
        if ((mask & ~_predicatesDefined[register]) != 0)
        {
            Undefined();
        }

        return _predicates[register];
    }

    public void WritePredicate(int register, uint value, uint mask)
    {
        _predicatesDefined[register] |= mask;
        _predicates[register] = (_predicates[register] & ~mask) | (value & mask);
    }

    /// <summary>Runs until all lanes have left, the warp stands at a barrier, or it has asked in vain for the end of a phase.</summary>
    public void Run()
    {
        Waiting = null;
        var code = _entry.Code;
        var counts = Block.Counts;
        while (Flow.Mask != 0)
        {
            ref readonly var instruction = ref code[Flow.Counter];
            var mask = Flow.Mask;
            if (instruction.Guard >= 0)
            {
                var predicate = ReadPredicate(instruction.Guard, mask);
                mask &= instruction.GuardNegated ? ~predicate : predicate;
            }

            counts[Flow.Counter] += BitOperations.PopCount(mask);
            switch (instruction.Flow)
            {
                case Syntax.Flow.Next:
                    if (mask != 0)
                    {
                        instruction.Handler(this, in instruction, mask);
                    }

                    Flow.Next();
                    break;
                case Syntax.Flow.WarpWide:
                    if (mask != 0 && !Flow.Gather(mask, PtxFault.DivergentWarp))
                    {
                        break;
                    }

                    if (mask != 0)
                    {
                        instruction.Handler(this, in instruction, mask);
                    }

                    Flow.Next();
                    break;
                case Syntax.Flow.Branch:
                    Flow.Branch(mask, instruction.Target);
                    break;
                case Syntax.Flow.Exit:
                    Flow.Exit(mask);
                    break;
                case Syntax.Flow.Wait:
                    if (mask != 0)
                    {
                        instruction.Handler(this, in instruction, mask);
                    }

                    Flow.Next();
                    if (Waiting is not null)
                    {
                        return;
                    }

                    break;
                default:
                    if (!Flow.Gather(mask, PtxFault.DivergentBarrier))
                    {
                        break;
                    }

                    Flow.Next();
                    AtBarrier = true;
                    return;
            }
        }
    }

    /// <summary>The instruction that is being executed, for messages.</summary>
    public ref readonly Instruction Current => ref _entry.Code[Math.Min(Flow.Counter, _entry.Code.Length - 1)];

    public void Dispose()
    {
        NativeMemory.AlignedFree(_words);
        NativeMemory.AlignedFree(_longs);
    }

    private uint Special(string name, int lane) => name switch
    {
        "%tid.x" => (uint)((Index * Lanes) + lane),
        "%tid.y" or "%tid.z" => 0,
        "%ntid.x" => (uint)Block.Threads,
        "%ntid.y" or "%ntid.z" => 1,
        "%ctaid.x" => (uint)Block.X,
        "%ctaid.y" => (uint)Block.Y,
        "%ctaid.z" => (uint)Block.Z,
        "%nctaid.x" => (uint)Block.Grid.X,
        "%nctaid.y" => (uint)Block.Grid.Y,
        "%nctaid.z" => (uint)Block.Grid.Z,
        "%laneid" => (uint)lane,
        "%warpid" => (uint)Index,
        _ => throw new PtxException(PtxFault.Unknown, $"special register {name}"),
    };

    private static void Undefined() => throw new PtxException(PtxFault.UninitializedRegister, "a source has not been written");
}
