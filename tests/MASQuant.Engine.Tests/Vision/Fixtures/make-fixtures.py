"""Writes the PNG and JPEG files of this folder and, beside each, NAME.ppm: what Pillow makes of it on a white ground; of 16 bits of gray it takes the high 8, as of 16 bits of colour.

Run with Debian 12's python3-pil (Pillow 9.4) and libjpeg-turbo-progs (2.1.5): /usr/bin/python3 make-fixtures.py
"""
import random
import struct
import subprocess
import zlib

from PIL import Image

random.seed(1)
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def reference(name, path):
    image = Image.open(path)
    if image.mode == "I":
        image = Image.frombytes("L", image.size, bytes(v >> 8 for v in image.getdata()))
    result = Image.new("RGB", image.size, "white")
    if image.mode in ("LA", "RGBA", "P") or "transparency" in image.info:
        image = image.convert("RGBA")
        result.paste(image.convert("RGB"), mask=image.getchannel("A"))
    else:
        result = image.convert("RGB")
    result.save(name + ".ppm")


def pack(samples, depth):
    value = 0
    for s in samples:
        value = value << depth | s
    bits = len(samples) * depth
    padding = -bits % 8
    return (value << padding).to_bytes((bits + padding) // 8, "big")


def paeth(a, b, c):
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    return a if pa <= pb and pa <= pc else b if pb <= pc else c


def filtered(kind, row, above, distance):
    out = bytearray([kind])
    for i, x in enumerate(row):
        a = row[i - distance] if i >= distance else 0
        c = above[i - distance] if i >= distance else 0
        b = above[i]
        out.append((x - [0, a, b, (a + b) // 2, paeth(a, b, c)][kind]) & 255)
    return bytes(out)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(name, color, depth, interlaced, transparency=b"", width=13, height=11):
    n = CHANNELS[color]
    top = (1 << depth) - 1
    limit = min(top, 9) if color == 3 else top
    pixels = [[[random.randint(0, limit) for _ in range(n)] for _ in range(width)] for _ in range(height)]
    if color == 0 and depth == 16:
        pixels[0][0], pixels[0][1], pixels[0][2] = [255], [256], [7]
    raw = b""
    for left, first, dx, dy in ADAM7 if interlaced else [(0, 0, 1, 1)]:
        rows = [pixel_row[left::dx] for pixel_row in pixels[first::dy]]
        above = None
        for pixel_row in rows:
            if not pixel_row:
                continue
            row = pack([s for p in pixel_row for s in p], depth)
            raw += filtered(random.randint(0, 4), row, above or bytes(len(row)), max(1, n * depth // 8))
            above = row
    data = zlib.compress(raw, 9)
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, interlaced))
    out += chunk(b"tEXt", b"Comment\0skipped")
    if color == 3:
        out += chunk(b"PLTE", bytes(random.randint(0, 255) for _ in range(3 * (limit + 1))))
    if transparency:
        out += chunk(b"tRNS", transparency)
    middle = len(data) // 2
    out += chunk(b"IDAT", data[:middle]) + chunk(b"IDAT", data[middle:]) + chunk(b"IEND", b"")
    with open(name + ".png", "wb") as f:
        f.write(out)
    reference(name, name + ".png")


for color, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.items():
    for depth in depths:
        for interlaced in (0, 1):
            png(f"png-{color}-{depth}" + "-interlaced" * interlaced, color, depth, interlaced)
png("png-gray-transparent", 0, 8, 0, struct.pack(">H", 7))
png("png-rgb-transparent", 2, 8, 0, struct.pack(">HHH", 7, 8, 9))
png("png-palette-transparent", 3, 4, 0, bytes([0, 128, 255]))
png("png-1x1", 2, 8, 1, width=1, height=1)


# A picture of gradients, an edge and noise: JPEG's smooth and its hard cases.
def picture(width, height):
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            if x + y < 30:
                image.putpixel((x, y), (255 - 4 * x, 200, 6 * y % 256))
            elif (x // 9 + y // 7) % 3 == 0:
                image.putpixel((x, y), tuple(random.randint(0, 255) for _ in range(3)))
            else:
                image.putpixel((x, y), (5 * x % 256, 3 * y % 256, 2 * (x + y) % 256))
    return image


picture(51, 37).save("/tmp/fixture.ppm")
picture(4, 3).save("/tmp/small.ppm")
for name, options in {
    "baseline-420": "-quality 85",
    "baseline-444": "-quality 90 -sample 1x1",
    "baseline-422": "-quality 85 -sample 2x1",
    "baseline-440": "-quality 85 -sample 1x2",
    "baseline-411": "-quality 85 -sample 4x1",
    "baseline-410": "-quality 85 -sample 4x2",
    "baseline-odd": "-quality 85 -sample 1x2,2x1,1x1",
    "baseline-gray": "-quality 80 -grayscale",
    "baseline-rgb": "-quality 90 -rgb",
    "baseline-restart": "-quality 85 -restart 2B",
    "baseline-optimized": "-quality 30 -optimize",
    "baseline-wide-tables": "-quality 2 -qslots 0,1",
    "progressive-420": "-quality 85 -progressive",
    "progressive-444": "-quality 95 -progressive -sample 1x1",
    "progressive-gray": "-quality 85 -progressive -grayscale",
    "progressive-restart": "-quality 85 -progressive -restart 1",
}.items():
    subprocess.run(f"cjpeg {options} -outfile jpeg-{name}.jpg /tmp/fixture.ppm", shell=True, check=True)
    reference("jpeg-" + name, f"jpeg-{name}.jpg")
for sampling in ("2x2", "2x1", "1x2"):
    subprocess.run(f"cjpeg -quality 90 -sample {sampling} -outfile jpeg-small-{sampling}.jpg /tmp/small.ppm", shell=True, check=True)
    reference(f"jpeg-small-{sampling}", f"jpeg-small-{sampling}.jpg")

# Components one after the other, as cjpeg writes them when told so.
with open("/tmp/scans", "w") as f:
    f.write("0; 1; 2;\n")
subprocess.run("cjpeg -quality 85 -scans /tmp/scans -outfile jpeg-baseline-separate.jpg /tmp/fixture.ppm", shell=True, check=True)
reference("jpeg-baseline-separate", "jpeg-baseline-separate.jpg")

# The highest coefficients of the first component come last.
with open("/tmp/parts", "w") as f:
    f.write("0,1,2: 0-0, 0, 0;\n0: 1-9, 0, 0;\n1: 1-63, 0, 0;\n2: 1-63, 0, 0;\n0: 10-63, 0, 0;\n")
subprocess.run("cjpeg -quality 85 -scans /tmp/parts -outfile jpeg-progressive-parts.jpg /tmp/fixture.ppm", shell=True, check=True)
reference("jpeg-progressive-parts", "jpeg-progressive-parts.jpg")

# Inks: Pillow writes CMYK with Adobe's marker; with the marker's transform set to 2 the same data reads as YCCK.
cmyk = Image.merge("CMYK", [c for c in picture(51, 37).split()] + [picture(51, 37).split()[0].point(lambda v: v // 2)])
cmyk.save("jpeg-cmyk.jpg", quality=90)
reference("jpeg-cmyk", "jpeg-cmyk.jpg")
data = open("jpeg-cmyk.jpg", "rb").read()
place = data.index(b"Adobe") + 11
with open("jpeg-ycck.jpg", "wb") as f:
    f.write(data[:place] + b"\x02" + data[place + 1:])
reference("jpeg-ycck", "jpeg-ycck.jpg")

# Resizing: Pillow's bicubic where it runs its passes in one order in all its versions.
picture(61, 47).save("resize.png")
for width, height in ((28, 28), (61, 20), (40, 47), (112, 84), (140, 56)):
    if not (width >= 61 and height < 47):
        Image.open("resize.png").resize((width, height), Image.BICUBIC).save(f"resize-{width}x{height}.ppm")
