using MASQuant.Extensions.AI;
using MASQuant.Runtime;
using MASQuant.Skia;
using MASQuant.Tests;
using Microsoft.Extensions.AI;
using Ai = Microsoft.Extensions.AI;

namespace MASQuant.Media.Tests;

/// <summary>A decoder that a model is given serves every way that a prompt comes in.</summary>
public class ChatClientTests
{
    [Fact]
    public async Task A_chat_client_reads_what_its_model_reads()
    {
        using var model = MultimodalModel.Load(RepositoryFiles.OmniTiny, new ModelOptions { Device = "cpu", ImageDecoders = [new SkiaImageDecoder()] });
        using var client = model.AsChatClient();
        Assert.Equal(await Answer("webp-lossless.png", "image/png"), await Answer("webp-lossless.webp", "image/webp"));
        Assert.NotEqual(await Answer("webp-lossless.png", "image/png"), await Answer("bmp-1.bmp", "image/bmp"));

        async Task<string> Answer(string name, string type)
        {
            var message = new Ai.ChatMessage(Ai.ChatRole.User, [new DataContent(MediaFiles.Read(name), type), new TextContent("Read the digits.")]);
            return (await client.GetResponseAsync([message], new ChatOptions { MaxOutputTokens = 16 })).Text;
        }
    }
}
