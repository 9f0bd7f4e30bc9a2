using MASQuant.Ptx.Execution;

namespace MASQuant.Ptx.Syntax;

/// <summary>Executes one instruction for the lanes in <paramref name="mask"/>.</summary>
internal delegate void Handler(Warp warp, in Instruction instruction, uint mask);

/// <summary>How an instruction moves the program counter.</summary>
internal enum Flow
{
    Next,
    Branch,
    Exit,
    Barrier,
    WarpWide,
    Wait,
}

/// <summary>A decoded instruction. Every operand is a register of the file that the instruction implies: constants and special registers have registers of their own.</summary>
internal struct Instruction
{
    public Handler Handler;
    public Flow Flow;
    public int Guard;
    public bool GuardNegated;
    public int D;
    public int A;
    public int B;
    public int C;
    public int[] List;
    public long Offset;
    public int Size;
    public int Target;
    public int Line;
    public string Text;
}
