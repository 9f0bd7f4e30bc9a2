using System.Globalization;
using System.Text;
using Microsoft.Extensions.AI;

namespace MASQuant.Server;

/// <summary>What a server has done, in Prometheus' text format (version 0.0.4).</summary>
internal sealed class ServerMetrics(RequestGate gate)
{
    private static readonly double[] Bounds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

    private readonly Lock _lock = new();
    private readonly SortedDictionary<int, long> _requests = [];
    private readonly long[] _seconds = new long[Bounds.Length + 1];
    private double _sum;
    private long _prompt;
    private long _cached;
    private long _generated;

    /// <summary>A request has ended.</summary>
    /// <param name="status">Of HTTP; 499: the client left.</param>
    /// <param name="took">From its headers to its end.</param>
    public void Ended(int status, TimeSpan took)
    {
        var bucket = Array.FindIndex(Bounds, bound => took.TotalSeconds <= bound);
        lock (_lock)
        {
            _requests[status] = _requests.GetValueOrDefault(status) + 1;
            _seconds[bucket < 0 ? Bounds.Length : bucket]++;
            _sum += took.TotalSeconds;
        }
    }

    /// <summary>An answer is whole.</summary>
    public void Answered(UsageDetails usage)
    {
        lock (_lock)
        {
            _prompt += usage.InputTokenCount ?? 0;
            _cached += usage.CachedInputTokenCount ?? 0;
            _generated += usage.OutputTokenCount ?? 0;
        }
    }

    /// <summary>All of it.</summary>
    public string Write()
    {
        var text = new StringBuilder();
        lock (_lock)
        {
            Head("masquant_requests_total", "counter", "Requests for answers that have ended, by status; 499: the client left.");
            foreach (var (status, count) in _requests)
            {
                Line($"masquant_requests_total{{status=\"{status}\"}}", count);
            }

            One("masquant_prompt_tokens_total", "counter", "Tokens of prompts of whole answers.", _prompt);
            One("masquant_cached_tokens_total", "counter", "Of these, tokens that were evaluated before.", _cached);
            One("masquant_generated_tokens_total", "counter", "Tokens of whole answers.", _generated);
            One("masquant_requests_in_progress", "gauge", "Requests whose answers have begun.", gate.InProgress);
            One("masquant_requests_waiting", "gauge", "Requests whose answers have not begun.", gate.Waiting);
            Head("masquant_request_seconds", "histogram", "Seconds from a request for an answer to its end.");
            var below = 0L;
            for (var i = 0; i < _seconds.Length; i++)
            {
                below += _seconds[i];
                Line($"masquant_request_seconds_bucket{{le=\"{(i < Bounds.Length ? Bounds[i].ToString(CultureInfo.InvariantCulture) : "+Inf")}\"}}", below);
            }

            Line("masquant_request_seconds_sum", _sum);
            Line("masquant_request_seconds_count", below);
        }

        return text.ToString();

        void Head(string name, string type, string help) => text.Append(CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n");

        void Line(string name, double value) => text.Append(CultureInfo.InvariantCulture, $"{name} {value}\n");

        void One(string name, string type, string help, double value)
        {
            Head(name, type, help);
            Line(name, value);
        }
    }
}
