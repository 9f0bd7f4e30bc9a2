using MASQuant.Engine.Vision.Preprocessing;
using MASQuant.Formats.Models;
using MASQuant.Formats.Safetensors;

namespace MASQuant.Cuda.Tests.Towers;

/// <summary>A vision tower without windows in FP64, step by step as its description says, patch by patch in the order in which patches arrive.</summary>
internal sealed class DescribedTower(ITensorSource source, VisionTowerDescription tower, bool rounds)
{
    private readonly Reference _reference = new(source, rounds);

    /// <summary>The tokens, then what is left for the decoder's first blocks.</summary>
    public double[][][] Forward(ImagePatches image)
    {
        var (config, places) = (tower.Config, ReferenceVisionTower.Places(image, tower.Config.SpatialMergeSize));
        int[] frames = [.. places.Select(place => place.Frame)];
        var x = _reference.Linear(tower.PatchEmbedding.Name, Reference.Rows(image.Pixels), config.HiddenSize, tower.PatchEmbedding.Bias == BiasPresence.Required);
        x = tower.Positions is { } table ? Reference.Add(x, Positions(table, places, image)) : x;
        var deepstack = new double[tower.Deepstack.Count][][];
        foreach (var (index, block) in tower.Blocks.Index())
        {
            Run(block, ref x, places, frames);
            foreach (var (level, merger) in tower.Deepstack.Index().Where(level => level.Item.Block == index))
            {
                deepstack[level] = RunBeside(merger.Merger, x);
            }
        }

        return [RunBeside(tower.Merger, x), .. deepstack];
    }

    private double[][] RunBeside(BlockDescription block, double[][] x) => Run(block, ref x, [], [])[0];

    private List<double[][]> Run(BlockDescription block, ref double[][] x, (int Frame, int Row, int Column)[] places, int[] frames)
    {
        var values = new List<double[][]>();
        foreach (var step in block.Steps)
        {
            switch (step)
            {
                case NormalizeStep norm:
                    values.Insert(0, Norm(block.Prefix, norm.Norm, x));
                    break;
                case ProjectStep project:
                    values = [.. Project(block.Prefix, project, values[0]), .. values[1..]];
                    break;
                case RotateStep:
                    var heads = block.Steps.OfType<AttendStep>().Single().Heads;
                    (values[0], values[1]) = (ReferenceVisionTower.Turn(values[0], places, heads), ReferenceVisionTower.Turn(values[1], places, heads));
                    break;
                case AttendStep attend:
                    values = [_reference.Attend(values[0], values[1], values[2], attend.Heads, frames), .. values[3..]];
                    break;
                case ActivateStep activate:
                    values[0] = Reference.Map(values[0], activate.Function switch
                    {
                        Activation.TanhGelu => v => 0.5 * v * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (v + (0.044715 * v * v * v)))),
                        Activation.QuickGelu => v => v / (1 + Math.Exp(-1.702 * v)),
                        _ => Reference.Gelu,
                    });
                    break;
                case AddStep:
                    x = Reference.Add(x, values[0]);
                    values.RemoveAt(0);
                    break;
                case JoinStreamStep join:
                    x = Join(x, join.Rows);
                    break;
                case JoinStep join:
                    values[0] = Join(values[0], join.Rows);
                    break;
                default:
                    throw step.Unknown("the oracle");
            }
        }

        return values;
    }

    private IEnumerable<double[][]> Project(string prefix, ProjectStep step, double[][] x)
    {
        if (!step.IsStoredAsOne(source, prefix))
        {
            return step.Linears.Select(linear => _reference.Linear(prefix + linear.Name, x, linear.Outputs));
        }

        var all = _reference.Linear(prefix + step.FusedName, x, step.Linears.Sum(linear => linear.Outputs));
        return step.Linears.Select((linear, i) => all.Select(row => row[(i * linear.Outputs)..((i + 1) * linear.Outputs)]).ToArray());
    }

    private double[][] Norm(string prefix, NormDescription norm, double[][] x)
    {
        if (norm.Kind == NormKind.RootMeanSquare)
        {
            return _reference.RmsNorm($"{prefix}{norm.Name}.weight", x, norm.Epsilon);
        }

        var (gain, bias) = (source.ReadFloats($"{prefix}{norm.Name}.weight", norm.Size), source.ReadFloats($"{prefix}{norm.Name}.bias", norm.Size));
        return [.. x.Select(row =>
        {
            var mean = row.Average();
            var deviation = Math.Sqrt(row.Average(v => (v - mean) * (v - mean)) + norm.Epsilon);
            return row.Select((v, i) => ((v - mean) / deviation * gain[i]) + bias[i]).ToArray();
        })];
    }

    // The table's corners stand at the grid's.
    private double[][] Positions(PositionTable table, (int Frame, int Row, int Column)[] places, ImagePatches image)
    {
        var entries = source.ReadMatrix(table.Name, table.Side * table.Side, tower.Config.HiddenSize);
        return [.. places.Select(place =>
        {
            var (y, x) = (place.Row * (table.Side - 1.0) / (image.GridH - 1), place.Column * (table.Side - 1.0) / (image.GridW - 1));
            var (top, left) = (Math.Min((int)y, table.Side - 2), Math.Min((int)x, table.Side - 2));
            double At(int row, int column, int i) => entries[(row * table.Side) + column, i];
            return Enumerable.Range(0, entries.Columns).Select(i =>
                ((1 - (y - top)) * (((1 - (x - left)) * At(top, left, i)) + ((x - left) * At(top, left + 1, i))))
                + ((y - top) * (((1 - (x - left)) * At(top + 1, left, i)) + ((x - left) * At(top + 1, left + 1, i))))).ToArray();
        })];
    }

    private static double[][] Join(double[][] x, int rows) => [.. x.Chunk(rows).Select(part => part.SelectMany(row => row).ToArray())];
}
