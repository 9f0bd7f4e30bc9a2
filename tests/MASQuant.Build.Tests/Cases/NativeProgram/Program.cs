using System;
using System.IO;
using MASQuant;
using MASQuant.Extensions.AI;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using NativeProgram;

// Another model alone, by its folder.
if (args is [var picture, var folder])
{
    using var other = MASQuant.Runtime.MultimodalModel.Load(folder);
    Console.WriteLine(string.Concat(other.Generate(new Prompt().Image(picture).Text("Quote a verse."), new GenerationOptions { MaxTokens = 8, StopTokens = [] })));
    return;
}

using var model = VlTiny.Load();
var prompt = new Prompt().Image(args[0]).Text("Read the digits.");
foreach (var piece in model.Generate(prompt, new GenerationOptions { MaxTokens = 8 }))
{
    Console.Write(piece);
}

using var linear = VlTiny.Layers[2].Mlp.DownProj.Load(model.Artifact);
Console.WriteLine($" [{linear.Outputs}, {linear.Inputs}] {linear.Scheme} {linear.RankOf(Modality.Vision) == VlTiny.Layer2.Mlp.DownProj.RankVision}");

// The same from a host's services, with a function on offer and an earlier call of it.
using var services = new ServiceCollection().AddMASQuant(() => VlTiny.Load()).BuildServiceProvider();
using var client = services.GetRequiredService<IChatClient>().AsBuilder().UseFunctionInvocation().UseOpenTelemetry().Build();
var response = await client.GetResponseAsync(
    [
        new(Microsoft.Extensions.AI.ChatRole.User, "Twice?"),
        new(Microsoft.Extensions.AI.ChatRole.Assistant, [new FunctionCallContent("1", "twice", new System.Collections.Generic.Dictionary<string, object?> { ["number"] = 21 })]),
        new(Microsoft.Extensions.AI.ChatRole.Tool, [new FunctionResultContent("1", 42)]),
        new(Microsoft.Extensions.AI.ChatRole.User, [new DataContent(File.ReadAllBytes(args[0]), "image/png"), new TextContent("Read the digits.")]),
    ],
    new ChatOptions { MaxOutputTokens = 8, Tools = [AIFunctionFactory.Create((int number) => 2 * number, "twice")] });
Console.WriteLine($"{response.Text} {response.FinishReason} {response.Usage?.InputTokenCount} True");
Console.WriteLine($"{linear.Outputs == 128} {model.MultimodalModel.ProcessorWarning?.Code}");
