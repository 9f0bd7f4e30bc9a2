using MASQuant.Cuda.Device;
using MASQuant.Ptx;

namespace MASQuant.Cuda.Tests.Ptx;

/// <summary>A kernel of a few instructions: %r1 is the thread's input word, %r2 becomes its output word. %rd0 and %rd1 address input and output, %rd3 and %rd4 the thread's own words.</summary>
internal static class Snippet
{
    public static uint[] Run(string body, uint[] input, int threads = 32, int sharedBytes = 1024)
    {
        var text = $$"""
            .version 7.8
            .target sm_80
            .address_size 64
            .visible .entry snippet(
                .param .u64 snippet_param_0,
                .param .u64 snippet_param_1
            )
            .maxntid {{threads}}
            {
                .reg .pred %p<8>;
                .reg .b16 %rs<8>;
                .reg .b32 %r<256>;
                .reg .b64 %rd<32>;
                .shared .align 1024 .b8 memory[{{sharedBytes}}];
                ld.param.b64 %rd0, [snippet_param_0];
                ld.param.b64 %rd1, [snippet_param_1];
                mov.u32 %r0, %tid.x;
                mul.wide.u32 %rd2, %r0, 4;
                add.s64 %rd3, %rd0, %rd2;
                add.s64 %rd4, %rd1, %rd2;
                ld.global.b32 %r1, [%rd3];
                {{body}}
                st.global.b32 [%rd4], %r2;
                ret;
            }
            """;
        using var device = new EmulatedDevice((_, _) => text);
        using var source = new DeviceArray<uint>(device, input);
        using var target = new DeviceArray<uint>(device, threads);
        var kernel = new Kernel(new KernelModule("prepare.sm80.ptx", 80), "snippet", threads);
        device.Launch(new KernelLaunch(kernel, new GridSize(1), 0, new KernelArguments().With(source.Pointer).With(target.Pointer)));
        return target.Read();
    }

    /// <summary>The output where every thread reads <paramref name="input"/>.</summary>
    public static uint Run(string body, uint input)
    {
        var output = Run(body, [.. Enumerable.Repeat(input, 32)]);
        Assert.All(output, word => Assert.Equal(output[0], word));
        return output[0];
    }

    public static PtxFault Fault(string body, int threads = 32, int sharedBytes = 1024)
        => Assert.Throws<PtxException>(() => Run(body, [.. Enumerable.Range(0, threads).Select(i => (uint)i)], threads, sharedBytes)).Fault;
}
