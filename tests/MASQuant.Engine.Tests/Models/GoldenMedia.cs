using MASQuant.Engine.Models;
using MASQuant.Formats.Models;
using MASQuant.Tests;

namespace MASQuant.Engine.Tests.Models;

/// <summary>The extents of a golden's media, from its grids and mel lengths.</summary>
internal static class GoldenMedia
{
    public static List<MediaExtent> Extents(Golden golden, ModelConfig config)
    {
        var images = new Queue<int>(golden.Has("image_grid_thw") ? golden.Integers("image_grid_thw") : []);
        var videos = new Queue<int>(golden.Has("video_grid_thw") ? golden.Integers("video_grid_thw") : []);
        var audios = new Queue<int>(Enumerable.Range(0, 9).Where(i => golden.Has($"input_features.{i}")).Select(i => golden.Shape($"input_features.{i}")[1]));

        var extents = new List<MediaExtent>();
        var previous = -1;
        foreach (var id in golden.Integers("input_ids"))
        {
            if (id != previous && id == config.ImageTokenId)
            {
                Assert.Equal(1, images.Dequeue());
                extents.Add(MediaExtent.Image(config, images.Dequeue(), images.Dequeue()));
            }
            else if (id != previous && id == config.VideoTokenId)
            {
                // Omni: 2 frames a second, 2 frames a temporal row. VL: as its JSON says.
                var seconds = golden.IsOmni ? 2 / golden.Json.GetProperty("fps").GetDouble() : golden.Json.GetProperty("second_per_grid").GetDouble();
                extents.Add(MediaExtent.Video(config, videos.Dequeue(), videos.Dequeue(), videos.Dequeue(), seconds));
            }
            else if (id != previous && id == config.AudioTokenId)
            {
                // Two stride-2 convolutions and poolings: transformers' _get_feat_extract_output_lengths.
                extents.Add(MediaExtent.Audio(config, (((audios.Dequeue() - 1) / 2) + 1 - 2) / 2 + 1));
            }

            previous = id;
        }

        Assert.Empty(images);
        Assert.Empty(videos);
        Assert.Empty(audios);
        return extents;
    }

    /// <summary>The ids with every run of a placeholder reduced to one.</summary>
    public static int[] Collapse(int[] ids, ModelConfig config)
        => [.. ids.Where((id, t) => PlaceholderTokens.ModalityOf(id, config) == Modality.Text || t == 0 || ids[t - 1] != id)];
}
