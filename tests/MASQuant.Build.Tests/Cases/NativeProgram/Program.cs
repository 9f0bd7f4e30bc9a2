using System;
using MASQuant;
using NativeProgram;
using var model = VlTiny.Load();
var prompt = new Prompt().Image(args[0]).Text("Read the digits.");
foreach (var piece in model.Generate(prompt, new GenerationOptions { MaxTokens = 8 }))
{
    Console.Write(piece);
}

using var linear = VlTiny.Layers[2].Mlp.DownProj.Load(model.Artifact);
Console.WriteLine($" [{linear.Outputs}, {linear.Inputs}] {linear.Scheme} {linear.RankOf(Modality.Vision) == VlTiny.Layer2.Mlp.DownProj.RankVision}");
