"""Writes the media files of this folder and what they are to be decoded to: of pictures NAME.png, of sound NAME.wav.

Needs Debian 12's python3-pil (Pillow 9.4) and ffmpeg (5.1). Pictures are Pillow's, sound is ffmpeg's, in both directions.
"""
import math
import os
import random
import struct
import subprocess

from PIL import Image

FOLDER = os.path.dirname(os.path.abspath(__file__))
WIDTH, HEIGHT = 23, 17
random.seed(18)


def path(name):
    return os.path.join(FOLDER, name)


def noise(mode, colours=256):
    channels = len(mode)
    smooth = [[(x * 11 + y * 7 * (c + 1) + random.randrange(40)) % colours for c in range(channels)] for y in range(HEIGHT) for x in range(WIDTH)]
    image = Image.new(mode, (WIDTH, HEIGHT))
    image.putdata([tuple(pixel) if channels > 1 else pixel[0] for pixel in smooth])
    return image


def on_white(image):
    """Rounded to the nearest level, computed without Pillow's own compositing."""
    rgba = image.convert("RGBA")
    result = Image.new("RGB", rgba.size)
    result.putdata([tuple(math.floor((v * p[3] + 255 * (255 - p[3])) / 255 + 0.5) for v in p[:3]) for p in rgba.getdata()])
    return result


def picture(name, expected=None):
    """What Pillow sees in the file, its first frame."""
    image = Image.open(path(name))
    image.seek(0)
    (expected or on_white(image)).save(path(os.path.splitext(name)[0] + ".png"))


def pictures():
    noise("RGB").save(path("webp-lossless.webp"), lossless=True)
    noise("RGBA").save(path("webp-lossless-alpha.webp"), lossless=True, exact=True)
    noise("RGB").save(path("webp-lossy.webp"), quality=80)
    noise("RGBA").save(path("webp-lossy-alpha.webp"), quality=80)
    noise("RGB").save(path("webp-animated.webp"), save_all=True, append_images=[noise("RGB")], lossless=True, duration=100)
    for name in ("webp-lossless", "webp-lossless-alpha", "webp-lossy", "webp-lossy-alpha", "webp-animated"):
        picture(name + ".webp")

    # EXIF's orientations, and what is to be seen of what they store.
    seen = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
    }
    stored = noise("RGB", 32)
    for orientation, transpose in seen.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        name = f"webp-orientation-{orientation}.webp"
        stored.save(path(name), lossless=True, exif=exif.tobytes())
        picture(name, stored.transpose(transpose))

    indexed = noise("RGB").quantize(64)
    indexed.save(path("gif-palette.gif"))
    indexed.save(path("gif-transparent.gif"), transparency=5)
    noise("L").save(path("gif-gray-interlaced.gif"), interlace=1)
    noise("RGB").quantize(16).save(path("gif-animated.gif"), save_all=True, append_images=[noise("RGB").quantize(16)], duration=100)
    for name in ("gif-palette", "gif-transparent", "gif-gray-interlaced", "gif-animated"):
        picture(name + ".gif")

    noise("RGB").save(path("bmp-24.bmp"))
    noise("RGB").quantize(100).save(path("bmp-8.bmp"))
    noise("L").convert("1").save(path("bmp-1.bmp"))
    for name in ("bmp-24", "bmp-8", "bmp-1"):
        picture(name + ".bmp")

    # Rows from the top: the height is negative.
    with open(path("bmp-24.bmp"), "rb") as file:
        data = bytearray(file.read())
    (height,) = struct.unpack_from("<i", data, 22)
    struct.pack_into("<i", data, 22, -height)
    with open(path("bmp-24-top-down.bmp"), "wb") as file:
        file.write(data)
    picture("bmp-24-top-down.bmp", Image.open(path("bmp-24.bmp")).convert("RGB").transpose(Image.Transpose.FLIP_TOP_BOTTOM))


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-y", "-loglevel", "error", "-bitexact", *arguments], check=True)


def tones(rate, channels, seconds):
    """Tones that rise, each channel's others, and swell and fade, so that no encoder sees an attack."""
    count = round(rate * seconds)
    return [min(1, i / (rate / 50), (count - 1 - i) / (rate / 50)) * 9000 * (math.sin(2 * math.pi * (300 + 900 * c + 2000 * i / rate) * i / rate) + 0.5 * math.sin(i * i / 9000)) for i in range(count) for c in range(channels)]


def bursts(rate, channels, seconds):
    """Noise that sets in at once, in the midst of silence."""
    return [(16000 if 0.3 < i / (rate * seconds) < 0.5 or 0.55 < i / (rate * seconds) < 0.57 else 40) * random.uniform(-1, 1) * min(1, i / 500) for i in range(round(rate * seconds)) for c in range(channels)]


def wave(samples, rate, channels):
    data = b"".join(struct.pack("<h", round(sample)) for sample in samples)
    return b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, channels, rate, 2 * channels * rate, 2 * channels, 16) + b"data" + struct.pack("<I", len(data)) + data


def sound(name, rate, channels, seconds, *options, skip=0, of=tones):
    samples = of(rate, channels, seconds)
    with open(path("source.tmp"), "wb") as file:
        file.write(wave(samples, rate, channels))
    ffmpeg("-f", "wav", "-i", path("source.tmp"), *options, "-bitexact", path(name))

    ffmpeg("-i", path(name), "-f", "s16le", path("decoded.tmp"))
    with open(path("decoded.tmp"), "rb") as file:
        decoded = [sample for (sample,) in struct.iter_unpack("<h", file.read())]

    with open(path(os.path.splitext(name)[0] + ".wav"), "wb") as file:
        file.write(wave(decoded[skip * channels:], rate, channels))
    os.remove(path("source.tmp"))
    os.remove(path("decoded.tmp"))


def sounds():
    sound("mp3-32000-stereo.mp3", 32000, 2, 0.12, "-c:a", "libmp3lame", "-b:a", "96k", "-id3v2_version", "0")
    sound("mp3-22050-mono.mp3", 22050, 1, 0.2, "-c:a", "libmp3lame", "-b:a", "32k", "-id3v2_version", "0")
    sound("mp3-vbr-id3.mp3", 44100, 1, 0.15, "-c:a", "libmp3lame", "-q:a", "4", "-metadata", "title=Tones")
    sound("mp3-no-tag.mp3", 32000, 1, 0.15, "-c:a", "libmp3lame", "-b:a", "64k", "-write_xing", "0", "-id3v2_version", "0", skip=529)  # What the decoder's filters delay, which ffmpeg keeps where no tag says more.
    sound("mp3-bursts.mp3", 44100, 1, 0.2, "-c:a", "libmp3lame", "-q:a", "2", "-id3v2_version", "0", of=bursts)


pictures()
sounds()
