using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace MASQuant.Extensions.AI.Tests;

/// <summary>Keeps the spans and measurements of one model's requests: tests run beside each other.</summary>
internal sealed class Measurements : IDisposable
{
    private readonly MeterListener _meters = new();
    private readonly ActivityListener _activities;

    public Measurements(string source, string model)
    {
        bool IsOurs(object? name) => (string?)name == model;
        _meters.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == source)
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _meters.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
        {
            var all = tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value);
            if (IsOurs(all.GetValueOrDefault("gen_ai.request.model")))
            {
                Values.Enqueue((instrument, value, all));
            }
        });
        _meters.Start();
        _activities = new ActivityListener
        {
            ShouldListenTo = activity => activity.Name == source,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (IsOurs(activity.GetTagItem("gen_ai.request.model")))
                {
                    Spans.Enqueue(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(_activities);
    }

    public ConcurrentQueue<(Instrument Instrument, double Value, Dictionary<string, object?> Tags)> Values { get; } = [];

    public ConcurrentQueue<Activity> Spans { get; } = [];

    public void Dispose()
    {
        _meters.Dispose();
        _activities.Dispose();
    }
}
