System.Console.WriteLine($"{OneModel.Tiny.Scheme} {OneModel.Tiny.Layers[0].Mlp.DownProj.Inputs}");
