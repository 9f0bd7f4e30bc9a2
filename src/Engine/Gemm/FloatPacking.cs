using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace MASQuant.Engine.Gemm;

/// <summary>Rearranges FP32 operands so that kernels read them in order: <c>target[k, i] = source[i, k]</c> for lines i (rows of A, columns of B) and inputs k.</summary>
internal static unsafe class FloatPacking
{
    /// <summary>Packs lines × inputs into target[depth, width]; lines beyond <paramref name="lines"/> become 0. The strides count values, from line to line and from input to input; one of them is 1.</summary>
    public static void Pack(float* source, nint lineStride, nint depthStride, int lines, int depth, float* target, int width)
    {
        if (lines < width)
        {
            new Span<float>(target, depth * width).Clear();
        }

        if (depthStride != 1 && lineStride == 1)
        {
            CopyRuns(source, depthStride, lines, depth, target, width);
        }
        else if (depthStride == 1)
        {
            Transpose(source, lineStride, lines, depth, target, width);
        }
        else
        {
            for (var i = 0; i < lines; i++)
            {
                for (var k = 0; k < depth; k++)
                {
                    target[(k * width) + i] = source[(i * lineStride) + (k * depthStride)];
                }
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyRuns(float* source, nint depthStride, int lines, int depth, float* target, int width)
    {
        for (var k = 0; k < depth; k++)
        {
            var i = 0;
            for (; i <= lines - 16; i += 16)
            {
                Vector512.Load(source + i).Store(target + i);
            }

            for (; i <= lines - 4; i += 4)
            {
                Vector128.Load(source + i).Store(target + i);
            }

            for (; i < lines; i++)
            {
                target[i] = source[i];
            }

            source += depthStride;
            target += width;
        }
    }

    /// <summary>Writes lines × inputs into lanes of target[depth, width]; the other lanes stay as they are.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transpose(float* source, nint lineStride, int lines, int depth, float* target, int width)
    {
        var i = 0;
        if (Sse.IsSupported)
        {
            for (; i <= lines - 4; i += 4)
            {
                TransposeFour(source + (i * lineStride), lineStride, depth, target + i, width);
            }
        }

        for (; i < lines; i++)
        {
            var line = source + (i * lineStride);
            var column = target + i;
            for (var k = 0; k < depth; k++)
            {
                *column = line[k];
                column += width;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void TransposeFour(float* source, nint lineStride, int depth, float* target, int width)
    {
        float* line0 = source, line1 = line0 + lineStride, line2 = line1 + lineStride, line3 = line2 + lineStride;
        var k = 0;
        for (; k <= depth - 4; k += 4)
        {
            Vector128<float> a = Vector128.Load(line0 + k), b = Vector128.Load(line1 + k), c = Vector128.Load(line2 + k), d = Vector128.Load(line3 + k);
            Vector128<float> ab = Sse.UnpackLow(a, b), cd = Sse.UnpackLow(c, d);
            Sse.MoveLowToHigh(ab, cd).Store(target);
            Sse.MoveHighToLow(cd, ab).Store(target + width);
            ab = Sse.UnpackHigh(a, b);
            cd = Sse.UnpackHigh(c, d);
            Sse.MoveLowToHigh(ab, cd).Store(target + (2 * width));
            Sse.MoveHighToLow(cd, ab).Store(target + (3 * width));
            target += 4 * width;
        }

        for (; k < depth; k++)
        {
            target[0] = line0[k];
            target[1] = line1[k];
            target[2] = line2[k];
            target[3] = line3[k];
            target += width;
        }
    }
}
