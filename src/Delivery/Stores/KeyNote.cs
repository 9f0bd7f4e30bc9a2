using System.Text;
using MASQuant.Formats.Artifacts;
using MASQuant.Formats.Files;
using MASQuant.Platform;

namespace MASQuant.Delivery.Stores;

/// <summary>Says beside an artifact in a person's folder which key it has, so that a later run need not bring it again.</summary>
/// <param name="folder">The folder.</param>
/// <param name="name">The model's name.</param>
public sealed class KeyNote(string folder, string name)
{
    private const string Suffix = ".key";

    private string File => Path.Combine(folder, name + Suffix);

    /// <summary>Whether the very artifact of a key is there.</summary>
    public bool Says(string key)
        => System.IO.File.Exists(Path.Combine(folder, name + ModelFiles.ArtifactSuffix)) && System.IO.File.Exists(File) && FileSystem.Current.ReadAllText(File) == key;

    /// <summary>Notes the key of the artifact that is there now.</summary>
    public void Write(string key) => AtomicFile.Write(File, Encoding.ASCII.GetBytes(key));

    /// <summary>Removes the note before another artifact comes: one without a note is brought again, one with another's would be taken for it.</summary>
    public void Remove()
    {
        if (System.IO.File.Exists(File))
        {
            FileSystem.Current.Delete(File);
        }
    }
}
