using MASQuant;
using MASQuant.Runtime;
using SpokenDigits;

// The class OmniTiny was generated from models/omni-tiny while this project was built, and its artifact lies beside the program.
using var quantized = OmniTiny.Load();
var checkpoint = (string)AppContext.GetData("SpokenDigits.Checkpoint")!;
using var exact = MultimodalModel.Load(checkpoint);

Comparison.PrintHeader();
Comparison.Print("a spoken question", new Prompt().Audio(Media("eval-asr-000.wav")).Text("Transcribe the speech."), exact, quantized.MultimodalModel);
Comparison.Print("a picture", new Prompt().Image(Media("eval-ocr-000.png")).Text("Read the digits."), exact, quantized.MultimodalModel);
Comparison.Print("both", new Prompt().Image(Media("eval-match-000.png")).Audio(Media("eval-match-000.wav")).Text("Does the speech match the image?"), exact, quantized.MultimodalModel);

// One layer by itself: its shape and ranks are constants, its SQNR is in its documentation.
var down = OmniTiny.Layers[3].Mlp.DownProj;
using var linear = down.Load(quantized.Artifact);
Console.WriteLine();
Console.WriteLine($"Layer 3's down_proj: [{OmniTiny.Layer3.Mlp.DownProj.Outputs}, {down.Inputs}] {linear.Scheme}, patches of rank {OmniTiny.Layer3.Mlp.DownProj.RankVision} (vision) and {down.RankAudio} (audio).");

var exactBytes = Directory.EnumerateFiles(checkpoint, "*.safetensors").Sum(file => new FileInfo(file).Length);
var quantizedBytes = new FileInfo(quantized.Artifact.Path).Length;
Console.WriteLine(FormattableString.Invariant($"Size: {exactBytes / 1e6:F1} MB in full precision, {quantizedBytes / 1e6:F1} MB quantized to {OmniTiny.Scheme}."));

static string Media(string file) => Path.Combine(AppContext.BaseDirectory, "media", file);
