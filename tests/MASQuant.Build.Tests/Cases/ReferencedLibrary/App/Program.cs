System.Console.WriteLine(System.IO.File.Exists(MASQuant.Artifacts.ModelFiles.Find(Lib.Tiny.ArtifactFile)));
