using System;
using System.Collections.Generic;
using MASQuant.Generators.Json;

namespace MASQuant.Generators;

/// <summary>What a manifest must have although no code is made of it: the runtime, which reads the same file, refuses it without.</summary>
internal static class ManifestShape
{
    private static readonly string[] Modalities = ["Text", "Vision", "Audio"];

    /// <exception cref="JsonFormatException">A member is missing, or of another kind.</exception>
    public static void Check(JsonValue root)
    {
        root.GetText("toolVersion");
        root.Get("tokenizer").GetText("sha256");
        foreach (var modality in root.Get("model").GetItems("modalities"))
        {
            Modality(modality.Expect(JsonKind.Text, "modalities").Text, modality);
        }

        foreach (var option in root.GetMembers("options"))
        {
            option.Value.Expect(JsonKind.Text, option.Key);
        }

        if (root.FindPresent("calibration") is { } calibration)
        {
            CheckCalibration(calibration.Expect(JsonKind.Object, "calibration"));
        }

        foreach (var part in root.FindPresent("parts")?.Expect(JsonKind.List, "parts").Items ?? [])
        {
            part.Expect(JsonKind.Text, "parts");
        }

        foreach (var layer in root.GetItems("layers"))
        {
            foreach (var linear in layer.GetItems("linears"))
            {
                CheckLinear(linear);
            }
        }
    }

    /// <summary>The modality that a member of a map is for.</summary>
    /// <exception cref="JsonFormatException">There is no such modality.</exception>
    public static string Modality(KeyValuePair<string, JsonValue> member) => Modality(member.Key, member.Value);

    private static string Modality(string name, JsonValue place)
        => Array.IndexOf(Modalities, name) >= 0 ? name : throw new JsonFormatException(place.Position, $"'{name}' is not one of {string.Join(", ", Modalities)}");

    private static void CheckCalibration(JsonValue calibration)
    {
        calibration.GetText("file");
        calibration.GetText("sha256");
        calibration.GetInt("samples");
        calibration.FindPresent("subsetSeed")?.ToSeed("subsetSeed");
        foreach (var tokens in calibration.GetMembers("tokens"))
        {
            tokens.Value.ToLong(Modality(tokens));
        }
    }

    private static void CheckLinear(JsonValue linear)
    {
        linear.GetBoolean("bias");
        foreach (var rank in linear.GetMembers("effectiveRanks"))
        {
            rank.Value.Get("plain").ToDouble(Modality(rank));
            rank.Value.Get("whitened").ToDouble(rank.Key);
        }
    }
}
