using System.Text.Json;
using MASQuant.Diagnostics;

namespace MASQuant.Formats.Configuration;

/// <summary>One JSON object of a configuration file. Members are read with their limits, so that no value outside them reaches model code; null counts as absent.</summary>
public readonly struct ConfigSection
{
    private const int MaxBytes = 1 << 20;

    private readonly JsonElement _element;
    private readonly string _file;
    private readonly string _prefix;

    private ConfigSection(JsonElement element, string file, string prefix)
    {
        _element = element;
        _file = file;
        _prefix = prefix;
    }

    /// <summary>Parses a file and hands its root to <paramref name="read"/>.</summary>
    /// <exception cref="MASQuantException">MASQ0201 or MASQ0203, naming the member.</exception>
    public static T Read<T>(ReadOnlyMemory<byte> json, string file, Func<ConfigSection, T> read)
    {
        if (json.Length > MaxBytes)
        {
            throw new MASQuantException(DiagnosticCodes.ConfigInvalid, file, $"The file has {json.Length} bytes, more than the {MaxBytes} that a configuration may have. Take it from the checkpoint's repository again.");
        }

        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 32 });
            var root = new ConfigSection(document.RootElement, file, "");
            return document.RootElement.ValueKind == JsonValueKind.Object ? read(root) : throw new JsonException("The root is no object.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new MASQuantException(DiagnosticCodes.ConfigInvalid, file, $"The file is not valid JSON: {e.Message} Take it from the checkpoint's repository again.", e);
        }
    }

    /// <summary>Whether the member is there and not null.</summary>
    public bool Has(string key) => TryGet(key, out _);

    /// <summary>The object <paramref name="key"/>, or null.</summary>
    public ConfigSection? Section(string key)
    {
        if (!TryGet(key, out var value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Object ? new ConfigSection(value, _file, $"{_prefix}{key}.") : throw Invalid(key, "an object");
    }

    /// <summary>The object <paramref name="key"/>, which must be there.</summary>
    public ConfigSection Required(string key) => Section(key) ?? throw Missing(key);

    /// <summary>A string, or null when absent.</summary>
    public string? Text(string key)
    {
        if (!TryGet(key, out var value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw Invalid(key, "a string");
    }

    /// <summary>True or false; <paramref name="fallback"/> when absent.</summary>
    public bool Flag(string key, bool fallback)
    {
        if (!TryGet(key, out var value))
        {
            return fallback;
        }

        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Invalid(key, "true or false");
    }

    /// <summary>A whole number from <paramref name="least"/> to <paramref name="most"/>; without <paramref name="fallback"/> it must be there.</summary>
    public int Whole(string key, int least, int most, int? fallback = null)
        => TryGet(key, out var value) ? CheckWhole(key, value, least, most) : fallback ?? throw Missing(key);

    /// <summary>A whole number under its newer name or its older one.</summary>
    public int Whole(string key, string olderKey, int least, int most, int? fallback = null)
        => Whole(Has(key) || !Has(olderKey) ? key : olderKey, least, most, fallback);

    /// <summary>A token's id; <paramref name="fallback"/> when absent.</summary>
    public int TokenId(string key, int fallback) => Whole(key, 0, int.MaxValue, fallback);

    /// <summary>A token's id under its newer name or its older one; <paramref name="fallback"/> when absent.</summary>
    public int TokenId(string key, string olderKey, int fallback) => Whole(key, olderKey, 0, int.MaxValue, fallback);

    /// <summary>A number from <paramref name="least"/> to <paramref name="most"/>; without <paramref name="fallback"/> it must be there.</summary>
    public double Number(string key, double least, double most, double? fallback = null)
        => TryGet(key, out var value) ? CheckNumber(key, value, least, most) : fallback ?? throw Missing(key);

    /// <summary>A list of whole numbers, or null when absent; a single number counts as a list of one.</summary>
    public int[]? Wholes(string key, int least, int most)
    {
        if (!TryGet(key, out var value))
        {
            return null;
        }

        var items = Items(value);
        var numbers = new int[items.Length];
        for (var i = 0; i < items.Length; i++)
        {
            numbers[i] = CheckWhole(key, items[i], least, most);
        }

        return numbers;
    }

    /// <summary>A list of numbers, or null when absent; a single number counts as a list of one.</summary>
    public float[]? Numbers(string key, double least, double most)
    {
        if (!TryGet(key, out var value))
        {
            return null;
        }

        var items = Items(value);
        var numbers = new float[items.Length];
        for (var i = 0; i < items.Length; i++)
        {
            numbers[i] = (float)CheckNumber(key, items[i], least, most);
        }

        return numbers;
    }

    /// <summary>A list of strings, or null when absent; a single string counts as a list of one.</summary>
    public string[]? Texts(string key) => !TryGet(key, out var value) ? null
        : Items(value) is var items && items.All(item => item.ValueKind == JsonValueKind.String) ? [.. items.Select(item => item.GetString()!)]
        : throw Invalid(key, "a list of strings");

    /// <summary>Refuses a string other than the one that the code honours; an absent one stands for it.</summary>
    /// <exception cref="MASQuantException">MASQ0203.</exception>
    public void RequireText(string key, string supported)
    {
        if (Text(key) is { } given && given != supported)
        {
            throw Unsupported(key, $"is '{given}'; only '{supported}' is supported");
        }
    }

    /// <summary>Refuses a flag other than the one that the code honours; an absent one stands for it.</summary>
    /// <exception cref="MASQuantException">MASQ0203.</exception>
    public void RequireFlag(string key, bool supported)
    {
        if (Flag(key, supported) != supported)
        {
            throw Unsupported(key, $"is {Word(!supported)}; only {Word(supported)} is supported");
        }
    }

    /// <summary>Refuses a whole number other than the one that the code honours; an absent one stands for it.</summary>
    /// <exception cref="MASQuantException">MASQ0203.</exception>
    public void RequireWhole(string key, int supported)
    {
        if (TryGet(key, out var value) && CheckWhole(key, value, int.MinValue, int.MaxValue) is var given && given != supported)
        {
            throw Unsupported(key, $"is {given}; only {supported} is supported");
        }
    }

    /// <summary>Refuses a number other than the one that the code honours; an absent one stands for it.</summary>
    /// <exception cref="MASQuantException">MASQ0203.</exception>
    public void RequireNumber(string key, double supported)
    {
        if (Number(key, double.MinValue, double.MaxValue, supported) is var given && given != supported)
        {
            throw Unsupported(key, FormattableString.Invariant($"is {given}; only {supported} is supported"));
        }
    }

    /// <summary>Refuses a member that the code cannot honour, whatever it says.</summary>
    /// <exception cref="MASQuantException">MASQ0203.</exception>
    public void RequireAbsent(string key)
    {
        if (TryGet(key, out var value))
        {
            throw Unsupported(key, $"is {value.GetRawText()}; it is not supported");
        }
    }

    /// <summary>Refuses a tower whose outputs have another width than the decoder's tokens.</summary>
    /// <exception cref="MASQuantException">MASQ0203.</exception>
    public void RequireDecoderWidth(string key, int width, TextConfig decoder)
    {
        if (width != decoder.HiddenSize)
        {
            throw Unsupported(key, $"is {width}; the decoder's hidden_size is {decoder.HiddenSize}");
        }
    }

    /// <summary>MASQ0203 about a member of this object.</summary>
    public MASQuantException Unsupported(string key, string reason)
        => new(DiagnosticCodes.ConfigOutOfRange, _file, $"'{_prefix}{key}' {reason}. Use a checkpoint as published, with its own configuration.");

    /// <summary>An exception about the file.</summary>
    public MASQuantException Refuse(string code, string message) => new(code, _file, message);

    private static string Word(bool flag) => flag ? "true" : "false";

    private static JsonElement[] Items(JsonElement value) => value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];

    private int CheckWhole(string key, JsonElement value, int least, int most)
    {
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt64(out var number))
        {
            throw Invalid(key, "a whole number");
        }

        return number >= least && number <= most ? (int)number : throw Unsupported(key, $"is {number}; {least} to {most} is supported");
    }

    private double CheckNumber(string key, JsonElement value, double least, double most)
    {
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var number))
        {
            throw Invalid(key, "a number");
        }

        return number >= least && number <= most ? number : throw Unsupported(key, FormattableString.Invariant($"is {number}; {least} to {most} is supported"));
    }

    private bool TryGet(string key, out JsonElement value)
        => _element.TryGetProperty(key, out value) && value.ValueKind != JsonValueKind.Null;

    private MASQuantException Missing(string key)
        => new(DiagnosticCodes.ConfigInvalid, _file, $"'{_prefix}{key}' is missing. Take the file from the checkpoint's repository again.");

    private MASQuantException Invalid(string key, string expected)
        => new(DiagnosticCodes.ConfigInvalid, _file, $"'{_prefix}{key}' is not {expected}. Take the file from the checkpoint's repository again.");
}
