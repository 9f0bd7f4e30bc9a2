namespace MASQuant.HardModel;

/// <summary>Writes the harder form of omni-tiny.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        if (args.Length != 2)
        {
            Console.Error.WriteLine("Usage: dotnet run --project tools/HardModel -- samples/models/omni-tiny OUT_FOLDER");
            return 1;
        }

        HardCheckpoint.Write(args[0], args[1]);
        return 0;
    }
}
