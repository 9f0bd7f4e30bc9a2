using MASQuant.Engine.Tensors;

namespace MASQuant.Engine.Gemm.Cpu;

/// <summary>One FP32 product C[M, N] = A[M, K] · B[K, N], cut into independent tiles of C. Every output is summed as <see cref="FloatGemm"/> defines; tiles only decide what is read when. One object per thread, reused.</summary>
internal sealed unsafe class FloatProduct : IWork
{
    // Rows per tile: 336 × 512 inputs in FP32 stay in a 1 MB second-level cache beside a panel.
    private const int TileRows = 336;

    // Below this many multiply-adds a product ends before another thread has woken up.
    private const long ThreadedWork = 1 << 18;

    // What is read twice from the first-level cache costs less than widening it, and 256 KB of rows leave the second-level cache room.
    private const int MostBlocksOfFewRows = 2;
    private const int MostValuesOfFewRows = 1 << 16;

    [ThreadStatic]
    private static FloatProduct? _current;

    private readonly StridedPanels _strided = new();
    private int _m;
    private int _n;
    private int _k;
    private float* _a;
    private nint _rowStride;
    private nint _depthStride;
    private PanelSource _b = null!;
    private float* _c;
    private nint _strideC;
    private float* _bias;
    private bool _accumulate;
    private CpuTarget _target = null!;
    private int _rowTiles;
    private int _columnTiles;

    /// <summary>The calling thread's product.</summary>
    public static FloatProduct Current => _current ??= new FloatProduct();

    /// <summary>Sets A: the value of row i, input k lies at <c>a[i·rowStride + k·depthStride]</c>; one of the strides is 1.</summary>
    public FloatProduct Left(float* a, nint rowStride, nint depthStride)
    {
        _a = a;
        (_rowStride, _depthStride) = (rowStride, depthStride);
        return this;
    }

    /// <summary>Sets B: the value of input k, output j lies at <c>b[j·outputStride + k·depthStride]</c>; one of the strides is 1.</summary>
    public FloatProduct Right(float* b, nint outputStride, nint depthStride) => Right(_strided.At(b, outputStride, depthStride));

    /// <summary>Sets B.</summary>
    public FloatProduct Right(PanelSource panels)
    {
        _b = panels;
        return this;
    }

    /// <summary>Computes C = A · B + bias, or C += A · B; <paramref name="bias"/> may be null.</summary>
    public void Into(float* c, nint strideC, int m, int n, int k, float* bias, bool accumulate, bool threaded, CpuTarget? target = null)
    {
        if (m == 0 || n == 0)
        {
            return;
        }

        _c = c;
        _bias = bias;
        (_strideC, _accumulate) = (strideC, accumulate);
        (_m, _n, _k) = (m, n, k);
        _target = target ?? CpuTarget.ThisMachine;
        var threads = threaded && (long)m * n * k >= ThreadedWork ? _target.Threads : 1;
        Divide(threads);
        Workers.For(_rowTiles * _columnTiles, this, threads);
        _b = _strided; // Do not keep a weight alive.
    }

    /// <inheritdoc/>
    public void Run(int piece)
    {
        int row = piece % _rowTiles, column = piece / _rowTiles;
        var panels = (_n + PanelSource.PanelOutputs - 1) / PanelSource.PanelOutputs;
        Tile(Part(_m, row, _rowTiles), Part(_m, row + 1, _rowTiles), Part(panels, column, _columnTiles), Part(panels, column + 1, _columnTiles));
    }

    private static int Part(int total, int part, int parts) => (int)((long)total * part / parts);

    private void Divide(int threads)
    {
        var panels = (_n + PanelSource.PanelOutputs - 1) / PanelSource.PanelOutputs;
        _rowTiles = (_m + TileRows - 1) / TileRows;
        _columnTiles = 1;
        if (threads > 1)
        {
            // A few tiles per thread even out unequal cores; wide tiles pack A less often.
            _columnTiles = Math.Min(panels, Math.Max(1, ((3 * threads) + _rowTiles - 1) / _rowTiles));
            _rowTiles = Math.Max(_rowTiles, Math.Min(threads / _columnTiles, _m / 16));
        }
    }

    private void Tile(int row, int rowEnd, int panel, int panelEnd)
    {
        var scratch = Scratch.Current;
        var rows = rowEnd - row;
        var deferred = _accumulate && _k > FloatGemm.BlockInputs;
        float* c = _c + (row * _strideC) + ((nint)panel * PanelSource.PanelOutputs);
        var strideC = _strideC;
        if (deferred)
        {
            strideC = (panelEnd - panel) * PanelSource.PanelOutputs;
            c = scratch.Sums<float>(rows * strideC);
        }

        // Few rows are packed once: the panels can then be read from end to end, as memory has them.
        var blocks = new RowBlocks(rows, FloatKernel.MaxRows(_target.FloatLevel));
        var packed = rows == 1 && _depthStride == 1 ? _a + (row * _rowStride)
            : blocks.Count <= MostBlocksOfFewRows && (long)rows * _k <= MostValuesOfFewRows ? PackRows(scratch, row, blocks)
            : null;
        var few = packed is not null;
        var panels = few ? 1 : Math.Max(1, panelEnd - panel);
        for (var first = panel; first < panelEnd; first += panels)
        {
            for (var depthStart = 0; depthStart < _k || depthStart == 0; depthStart += FloatGemm.BlockInputs)
            {
                var depth = Math.Min(FloatGemm.BlockInputs, _k - depthStart);
                var block = few ? packed + ((nint)rows * depthStart) : PackRows(row, blocks, depthStart, depth, scratch.Rows<float>((long)rows * depth));
                for (var p = first; p < first + panels; p++)
                {
                    var outputs = Math.Min(PanelSource.PanelOutputs, _n - (p * PanelSource.PanelOutputs));
                    MultiplyPanel(scratch, block, blocks, p, outputs, depthStart, depth,
                        c + ((nint)(p - panel) * PanelSource.PanelOutputs), strideC, add: depthStart > 0 || (_accumulate && !deferred));
                }
            }
        }

        var columns = Math.Min(_n - (panel * PanelSource.PanelOutputs), (panelEnd - panel) * PanelSource.PanelOutputs);
        for (var i = 0; i < rows && (deferred || _bias is not null); i++)
        {
            var target = _c + ((row + i) * _strideC) + ((nint)panel * PanelSource.PanelOutputs);
            FloatKernel.Add(deferred ? c + (i * strideC) : _bias + ((nint)panel * PanelSource.PanelOutputs), target, columns);
        }
    }

    /// <summary>A's rows as [depth block][block][depth, block rows].</summary>
    private float* PackRows(Scratch scratch, int row, RowBlocks blocks)
    {
        var packed = scratch.Rows<float>((long)blocks.Rows * _k);
        for (var depthStart = 0; depthStart < _k; depthStart += FloatGemm.BlockInputs)
        {
            PackRows(row, blocks, depthStart, Math.Min(FloatGemm.BlockInputs, _k - depthStart), packed + ((nint)blocks.Rows * depthStart));
        }

        return packed;
    }

    /// <summary>A's rows as [block][depth, block rows].</summary>
    private float* PackRows(int row, RowBlocks blocks, int depthStart, int depth, float* packed)
    {
        var source = _a + (row * _rowStride) + (depthStart * _depthStride);
        for (var block = 0; block < blocks.Count; block++)
        {
            int start = blocks.Start(block), height = blocks.Start(block + 1) - start;
            FloatPacking.Pack(source + (start * _rowStride), _rowStride, _depthStride, height, depth, packed + ((nint)start * depth), height);
        }

        return packed;
    }

    private void MultiplyPanel(Scratch scratch, float* packed, RowBlocks blocks, int panel, int outputs, int depthStart, int depth, float* c, nint strideC, bool add)
    {
        // A panel that only one or two row blocks read is read where it lies; otherwise it is brought into the cache in kernel order first.
        var b = _b.Stored(panel, outputs, depthStart, out var strideB);
        var halves = b is not null && _b.IsBFloat16;
        var contiguous = strideB == PanelSource.PanelOutputs * sizeof(float);
        if (b is null || (blocks.Count > 2 && !contiguous))
        {
            var panelBuffer = scratch.Panel<float>((long)depth * PanelSource.PanelOutputs);
            _b.Fill(panel, outputs, depthStart, depth, panelBuffer);
            b = (byte*)panelBuffer;
            strideB = PanelSource.PanelOutputs * sizeof(float);
            halves = false;
        }

        for (var block = 0; block < blocks.Count; block++)
        {
            int start = blocks.Start(block), height = blocks.Start(block + 1) - start;
            var a = packed + ((nint)start * depth);
            var target = c + (start * strideC);
            if (outputs == PanelSource.PanelOutputs)
            {
                FloatKernel.Run(_target.FloatLevel, halves, height, a, b, strideB, target, strideC, depth, add);
                continue;
            }

            var tile = scratch.Tile<float>(FloatKernel.TallestTile * PanelSource.PanelOutputs);
            FloatKernel.Run(_target.FloatLevel, halves, height, a, b, strideB, tile, PanelSource.PanelOutputs, depth, add: false);
            FloatKernel.CopyTile(tile, height, outputs, target, strideC, add);
        }
    }
}
