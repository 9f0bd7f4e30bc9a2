using System.Runtime.InteropServices;
using Iced.Intel;

namespace MASQuant.Engine.Tests.Gemm.Code;

/// <summary>Executes a kernel's machine code instruction by instruction, tiles included, on the process's own memory: what a processor with AMX would do. It knows the integer instructions that the shipped kernel consists of, and refuses others.</summary>
internal sealed unsafe class TileProcessor
{
    private const int MostRows = 16;
    private const int MostRowBytes = 64;

    private readonly Dictionary<ulong, Instruction> _code = [];
    private readonly ulong[] _registers = new ulong[16];
    private readonly byte[][] _tiles = [.. Enumerable.Range(0, 8).Select(_ => new byte[MostRows * MostRowBytes])];
    private readonly (int Rows, int RowBytes)[] _shapes = new (int, int)[8];
    private readonly Stack<ulong> _stack = new();
    private bool _configured;
    private bool _zero;
    private bool _less;
    private bool _below;

    public TileProcessor(byte[] code)
    {
        var decoder = Decoder.Create(64, code);
        while (decoder.IP < (ulong)code.Length)
        {
            var instruction = decoder.Decode();
            _code[instruction.IP] = instruction;
        }
    }

    /// <summary>How many products of tiles there were.</summary>
    public long Products { get; private set; }

    /// <summary>Calls the code with one argument, by System V's rules.</summary>
    public void Run(void* argument)
    {
        ulong[] kept = [.. Enumerable.Range(0, 16).Select(register => 0xC0DE_0000_0000_0000UL + (ulong)register)];
        kept.CopyTo(_registers, 0);
        _registers[Number(Register.RDI)] = (ulong)argument;
        for (ulong next = 0; ;)
        {
            var instruction = _code.TryGetValue(next, out var found) ? found : throw Refused("no instruction begins here", next);
            next = instruction.NextIP;
            if (instruction.Mnemonic == Mnemonic.Ret)
            {
                break;
            }

            if (instruction.FlowControl is FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch)
            {
                next = Jumps(instruction) ? instruction.NearBranchTarget : next;
            }
            else
            {
                Execute(instruction);
            }
        }

        Check(_stack.Count == 0 && !_configured, "a register on the stack or a tile in use");
        foreach (var register in new[] { Register.RBX, Register.RBP, Register.R12, Register.R13, Register.R14, Register.R15 })
        {
            Check(_registers[Number(register)] == kept[Number(register)], $"{register} changed");
        }
    }

    private static int Number(Register register) => register.GetFullRegister() - Register.RAX;

    private static InvalidOperationException Refused(object what, ulong place) => new($"{what}, at {place:x}");

    private static void Check(bool holds, string problem)
    {
        if (!holds)
        {
            throw new InvalidOperationException(problem);
        }
    }

    private bool Jumps(Instruction instruction) => instruction.ConditionCode switch
    {
        ConditionCode.None => true,
        ConditionCode.e => _zero,
        ConditionCode.ne => !_zero,
        ConditionCode.l => _less,
        ConditionCode.ge => !_less,
        ConditionCode.le => _less || _zero,
        ConditionCode.g => !_less && !_zero,
        ConditionCode.b => _below,
        ConditionCode.ae => !_below,
        ConditionCode.be => _below || _zero,
        ConditionCode.a => !_below && !_zero,
        _ => throw Refused(instruction, instruction.IP),
    };

    private void Execute(Instruction instruction)
    {
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Nop:
                break;
            case Mnemonic.Push:
                _stack.Push(_registers[Number(instruction.Op0Register)]);
                break;
            case Mnemonic.Pop:
                _registers[Number(instruction.Op0Register)] = _stack.Pop();
                break;
            case Mnemonic.Mov:
                Set(instruction, Value(instruction, 1));
                break;
            case Mnemonic.Movsxd:
                Set(instruction, (ulong)(int)Value(instruction, 1));
                break;
            case Mnemonic.Lea:
                Set(instruction, Address(instruction));
                break;
            case Mnemonic.Add:
                Set(instruction, Flags(instruction, Value(instruction, 0) + Value(instruction, 1)));
                break;
            case Mnemonic.Inc:
                Set(instruction, Flags(instruction, Value(instruction, 0) + 1));
                break;
            case Mnemonic.Dec:
                Set(instruction, Flags(instruction, Value(instruction, 0) - 1));
                break;
            case Mnemonic.Sub:
                Set(instruction, Compare(instruction));
                break;
            case Mnemonic.Cmp:
                Compare(instruction);
                break;
            case Mnemonic.Test:
                Flags(instruction, Value(instruction, 0) & Value(instruction, 1));
                break;
            case Mnemonic.And:
                Set(instruction, Flags(instruction, Value(instruction, 0) & Value(instruction, 1)));
                break;
            case Mnemonic.Xor:
                Set(instruction, Flags(instruction, Value(instruction, 0) ^ Value(instruction, 1)));
                break;
            default:
                ExecuteTiles(instruction);
                break;
        }
    }

    private void ExecuteTiles(Instruction instruction)
    {
        if (instruction.Mnemonic == Mnemonic.Ldtilecfg)
        {
            Configure((byte*)Address(instruction));
            return;
        }

        Check(_configured, $"{instruction} without a configuration");
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Tilerelease:
                _configured = false;
                Array.ForEach(_tiles, tile => tile.AsSpan().Clear());
                break;
            case Mnemonic.Tilezero:
                _tiles[Tile(instruction.Op0Register)].AsSpan().Clear();
                break;
            case Mnemonic.Tileloadd:
                Move(instruction, instruction.Op0Register, load: true);
                break;
            case Mnemonic.Tilestored:
                Move(instruction, instruction.Op1Register, load: false);
                break;
            case Mnemonic.Tdpbssd:
                Multiply(Tile(instruction.Op0Register), Tile(instruction.Op1Register), Tile(instruction.Op2Register));
                break;
            default:
                throw Refused(instruction, instruction.IP);
        }
    }

    private static int Tile(Register register) => register - Register.TMM0;

    private void Configure(byte* config)
    {
        // Palette 1; 14 reserved bytes; bytes of a row for 8 tiles and 8 that are reserved; rows, likewise.
        Check(config[0] == 1 && !new Span<byte>(config + 1, 15).ContainsAnyExcept((byte)0), "another palette or a reserved byte");
        Check(!new Span<byte>(config + 32, 16).ContainsAnyExcept((byte)0) && !new Span<byte>(config + 56, 8).ContainsAnyExcept((byte)0), "a tile beyond the eighth");
        for (var tile = 0; tile < _tiles.Length; tile++)
        {
            _shapes[tile] = (config[48 + tile], ((ushort*)(config + 16))[tile]);
            Check(_shapes[tile].Rows is > 0 and <= MostRows && _shapes[tile].RowBytes is > 0 and <= MostRowBytes, "a tile of another size than there are");
            _tiles[tile].AsSpan().Clear();
        }

        _configured = true;
    }

    private void Move(Instruction instruction, Register register, bool load)
    {
        var tile = Tile(register);
        var stride = (long)_registers[Number(instruction.MemoryIndex)];
        var row = (byte*)(_registers[Number(instruction.MemoryBase)] + instruction.MemoryDisplacement64);
        for (var i = 0; i < _shapes[tile].Rows; i++, row += stride)
        {
            var inTile = _tiles[tile].AsSpan(i * MostRowBytes, _shapes[tile].RowBytes);
            var inMemory = new Span<byte>(row, _shapes[tile].RowBytes);
            (load ? inMemory : inTile).CopyTo(load ? inTile : inMemory);
        }

        // Rows that a load does not name become zeros.
        if (load)
        {
            _tiles[tile].AsSpan(_shapes[tile].Rows * MostRowBytes).Clear();
        }
    }

    /// <summary>TDPBSSD: target[m, n] += Σ over k and i of a[m, 4k + i] · b[k, 4n + i], all signed.</summary>
    private void Multiply(int target, int a, int b)
    {
        var (rows, rowBytes) = _shapes[target];
        Check(_shapes[a] == (rows, 4 * _shapes[b].Rows) && _shapes[b].RowBytes == rowBytes, "tiles that do not fit each other");
        Check(target != a && target != b && a != b, "a tile twice in a product");
        var sums = MemoryMarshal.Cast<byte, int>(_tiles[target].AsSpan());
        var left = MemoryMarshal.Cast<byte, sbyte>(_tiles[a]);
        var right = MemoryMarshal.Cast<byte, sbyte>(_tiles[b]);
        for (var m = 0; m < rows; m++)
        {
            for (var k = 0; k < _shapes[b].Rows; k++)
            {
                for (var n = 0; n < rowBytes; n++)
                {
                    sums[(m * MostRowBytes / 4) + (n / 4)] += left[(m * MostRowBytes) + (4 * k) + (n % 4)] * right[(k * MostRowBytes) + n];
                }
            }
        }

        Products++;
    }

    private ulong Address(Instruction instruction)
    {
        Check(instruction.SegmentPrefix == Register.None && instruction.MemoryBase != Register.RIP, $"{instruction} is not relative to a register");
        var index = instruction.MemoryIndex == Register.None ? 0 : _registers[Number(instruction.MemoryIndex)];
        return _registers[Number(instruction.MemoryBase)] + (index * (ulong)instruction.MemoryIndexScale) + instruction.MemoryDisplacement64;
    }

    private ulong Value(Instruction instruction, int operand) => instruction.GetOpKind(operand) switch
    {
        OpKind.Register => Cut(_registers[Number(instruction.GetOpRegister(operand))], instruction.GetOpRegister(operand).GetSize()),
        OpKind.Memory when instruction.MemorySize.GetSize() == 8 => *(ulong*)Address(instruction),
        OpKind.Memory when instruction.MemorySize.GetSize() == 4 => *(uint*)Address(instruction),
        _ => Cut(instruction.GetImmediate(operand), Size(instruction)),
    };

    private static ulong Cut(ulong value, int bytes) => bytes == 8 ? value : bytes == 4 ? (uint)value : (byte)value;

    private static int Size(Instruction instruction) => instruction.Op0Kind == OpKind.Register ? instruction.Op0Register.GetSize() : instruction.MemorySize.GetSize();

    /// <summary>A register of 32 bits loses its upper half.</summary>
    private void Set(Instruction instruction, ulong value)
    {
        if (instruction.Op0Kind != OpKind.Register || instruction.Op0Register.GetSize() < 4)
        {
            throw Refused(instruction, instruction.IP);
        }

        _registers[Number(instruction.Op0Register)] = Cut(value, instruction.Op0Register.GetSize());
    }

    /// <summary>Of results that no comparison reads the order of: what is less than 0 and what is 0.</summary>
    private ulong Flags(Instruction instruction, ulong value)
    {
        value = Cut(value, Size(instruction));
        (_zero, _less, _below) = (value == 0, (long)(value << (64 - (8 * Size(instruction)))) < 0, false);
        return value;
    }

    private ulong Compare(Instruction instruction)
    {
        ulong left = Value(instruction, 0), right = Value(instruction, 1);
        var shift = 64 - (8 * Size(instruction));
        (_zero, _less, _below) = (left == right, (long)(left << shift) < (long)(right << shift), left < right);
        return left - right;
    }
}
