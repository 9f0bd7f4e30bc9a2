using MASQuant.Peers;

// peers [3B|7B] [LAYERS] [--busy-anyway]: whole decoders of random weights, ours beside llama.cpp's and a layer's products beside ONNX Runtime's.
var words = args.Where(word => !word.StartsWith('-')).ToArray();
var shape = PeerShape.Find(words.ElementAtOrDefault(0) ?? "3B") is { } found && words.ElementAtOrDefault(1) is { } layers
    ? found with { Layers = int.Parse(layers, System.Globalization.CultureInfo.InvariantCulture) }
    : PeerShape.Find(words.ElementAtOrDefault(0) ?? "3B");
if (shape is null)
{
    Console.Error.WriteLine($"Shapes: {string.Join(", ", PeerShape.All.Select(shape => shape.Name))}");
    return 2;
}

var busy = Machine.Busy(TimeSpan.FromSeconds(2));
Console.WriteLine($"{Machine.Describe()}; others use {busy:P0} of the cores; {shape.Layers} layers of {shape.Name}, {Comparison.Threads} threads, medians of {Comparison.Rounds}");
if (busy > Machine.MostBusy && !args.Contains("--busy-anyway"))
{
    Console.Error.WriteLine($"More than {Machine.MostBusy:P0} of the cores are in use: nothing is measured. Wait, or give --busy-anyway and trust no figure.");
    return 1;
}

Comparison.Run(shape);
OnnxProducts.Run(shape);
return 0;
