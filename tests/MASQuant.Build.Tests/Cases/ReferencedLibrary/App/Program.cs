System.Console.WriteLine(System.IO.File.Exists(System.IO.Path.Combine(System.AppContext.BaseDirectory, "models", Lib.Tiny.ArtifactFile)));
