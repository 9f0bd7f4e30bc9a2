using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using MASQuant.Tests;

namespace MASQuant.Cli.Tests;

/// <summary>A Slurm of one machine with four slots, whose every file is in a folder of its own: it needs no account, no service and no right, and ends with the test.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class PrivateSlurm : IDisposable
{
    private static readonly string[] Programs = ["munged", "slurmctld", "slurmd", "sbatch", "scontrol"];
    private readonly TemporaryDirectory _folder = new();
    private readonly List<Process> _daemons = [];

    private PrivateSlurm()
    {
    }

    /// <summary>Starts it and waits until its node takes jobs.</summary>
    public static PrivateSlurm Start()
    {
        var slurm = new PrivateSlurm();
        try
        {
            slurm.StartDaemons();
            return slurm;
        }
        catch
        {
            slurm.Dispose();
            throw;
        }
    }

    /// <summary>Why this machine cannot run one, or null.</summary>
    public static string? Missing
    {
        get
        {
            string[] folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator), "/usr/sbin", "/sbin"];
            string[] missing = [.. Programs.Where(program => !folders.Any(folder => File.Exists(Path.Combine(folder, program))))];
            return missing.Length == 0 ? null : $"Slurm is not installed: there is no {string.Join(", ", missing)}. Debian's packages are slurm-wlm and munge.";
        }
    }

    private string Configuration => _folder.File("slurm.conf");

    /// <summary>Runs one of Slurm's commands.</summary>
    public (int ExitCode, string Output) Run((string Name, string Value)[] environment, string program, params string[] arguments)
    {
        var start = Command(program, arguments);
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd() + errors.GetAwaiter().GetResult();
        process.WaitForExit();
        return (process.ExitCode, output);
    }

    /// <summary>Waits until something is so.</summary>
    public void WaitFor(Func<bool> condition)
    {
        for (var waited = Stopwatch.StartNew(); !condition(); Thread.Sleep(200))
        {
            Assert.True(waited.Elapsed < TimeSpan.FromMinutes(5), string.Join('\n', Directory.GetFiles(_folder.Path, "*.log").Select(file => $"{file}:\n{File.ReadAllText(file)}")));
        }
    }

    public void Dispose()
    {
        Run([], "scancel", "--full", $"--user={Environment.UserName}");
        foreach (var daemon in Enumerable.Reverse(_daemons))
        {
            daemon.Kill(entireProcessTree: true);
            daemon.WaitForExit();
            daemon.Dispose();
        }

        _folder.Dispose();
    }

    private void StartDaemons()
    {
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_001_001); // munged wants its socket within everybody's reach.
        Directory.CreateDirectory(_folder.File("state"));
        Directory.CreateDirectory(_folder.File("spool"));
        var (key, socket) = (_folder.File("key"), _folder.File("socket"));
        File.WriteAllBytes(key, RandomNumberGenerator.GetBytes(128));
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllText(Configuration, Settings(socket));
        Start("munged", "--foreground", $"--key-file={key}", $"--socket={socket}", $"--pid-file={_folder.File("munged.pid")}", $"--log-file={_folder.File("munged.log")}", $"--seed-file={_folder.File("seed")}");
        WaitFor(() => File.Exists(socket));
        Start("slurmctld", "-D", "-f", Configuration);
        Start("slurmd", "-D", "-f", Configuration, "-N", "node");
        WaitFor(() => Run([], "scontrol", "show", "node", "node").Output.Contains("State=IDLE", StringComparison.Ordinal));
    }

    private string Settings(string socket) => $"""
        ClusterName=masquant
        SlurmctldHost=localhost
        SlurmctldPort={FreePort()}
        SlurmdPort={FreePort()}
        SlurmUser={Environment.UserName}
        SlurmdUser={Environment.UserName}
        AuthType=auth/munge
        AuthInfo=socket={socket},cred_expire=5
        StateSaveLocation={_folder.File("state")}
        SlurmdSpoolDir={_folder.File("spool")}
        SlurmctldPidFile={_folder.File("slurmctld.pid")}
        SlurmdPidFile={_folder.File("slurmd.pid")}
        SlurmctldLogFile={_folder.File("slurmctld.log")}
        SlurmdLogFile={_folder.File("slurmd.log")}
        ProctrackType=proctrack/pgid
        TaskPlugin=task/none
        MpiDefault=none
        AccountingStorageType=accounting_storage/none
        SelectType=select/cons_tres
        SelectTypeParameters=CR_CPU
        ReturnToService=2
        SlurmdParameters=config_overrides
        NodeName=node NodeHostname={Dns.GetHostName().Split('.')[0]} NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
        PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP

        """;

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Start(string program, params string[] arguments)
    {
        var daemon = Process.Start(Command(program, arguments))!;
        daemon.OutputDataReceived += (_, _) => { };
        daemon.ErrorDataReceived += (_, _) => { };
        daemon.BeginOutputReadLine();
        daemon.BeginErrorReadLine();
        _daemons.Add(daemon);
    }

    private ProcessStartInfo Command(string program, string[] arguments)
    {
        var path = File.Exists($"/usr/sbin/{program}") ? $"/usr/sbin/{program}" : program; // Not on everybody's PATH.
        var start = new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SLURM_CONF"] = Configuration;
        return start;
    }
}
