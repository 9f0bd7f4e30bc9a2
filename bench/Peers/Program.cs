using System.Globalization;
using MASQuant.Peers;

// peers [3B|7B] [LAYERS] [--peers NAME,…] [--csv FILE] [--busy-anyway]: whole decoders of random weights, ours beside llama.cpp's, a picture's time, and a layer's products beside ONNX Runtime's.
var words = new List<string>();
string? csvFile = null;
var (names, busyAnyway) = (PeerKind.All.Select(kind => kind.Name).ToArray(), false);
for (var i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--peers" when i + 1 < args.Length:
            names = args[++i].Split(',');
            break;
        case "--csv" when i + 1 < args.Length:
            csvFile = args[++i];
            break;
        case "--busy-anyway":
            busyAnyway = true;
            break;
        default:
            words.Add(args[i]);
            break;
    }
}

var layers = 0;
if (words.Count > 2 || PeerShape.Find(words.FirstOrDefault() ?? "3B") is not { } shape
    || (words.Count == 2 && (!int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out layers) || layers == 0))
    || names.FirstOrDefault(name => PeerKind.All.All(kind => kind.Name != name)) is { })
{
    Console.Error.WriteLine($"peers [{string.Join("|", PeerShape.All.Select(shape => shape.Name))}] [LAYERS] [--peers {string.Join(",", PeerKind.All.Select(kind => kind.Name))}] [--csv FILE] [--busy-anyway]");
    return 2;
}

shape = layers > 0 ? shape with { Layers = layers } : shape;
var busy = Machine.Busy(TimeSpan.FromSeconds(2));
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Machine.Describe()}; others use {busy:P0} of the cores; {shape.Layers} layers of {shape.Name}, {Comparison.Threads} threads, medians of {Comparison.Rounds}, of {Comparison.LongRounds} for the longest prompt"));
if (busy > Machine.MostBusy && !busyAnyway)
{
    Console.Error.WriteLine($"More than {Machine.MostBusy:P0} of the cores are in use: nothing is measured. Wait, or give --busy-anyway and trust no figure.");
    return 1;
}

var kinds = PeerKind.All.Where(kind => names.Contains(kind.Name)).ToList();
using var csv = csvFile is null ? TextWriter.Null : File.CreateText(csvFile);
Comparison.Run(shape, kinds, csv);
GC.Collect();
PictureTime.Run(shape, csv);
GC.Collect();
OnnxProducts.Run(shape);
return 0;
