"""Draws the packages' icon: three modalities' waves on a grid of few levels. usage: icon.py FILE"""
import math, struct, sys, zlib

SIZE, SAMPLES = 128, 4
GROUND, WAVES = (38, 34, 82), [(255, 255, 255), (120, 200, 255), (255, 176, 84)]


def inside(x, y):  # a square with round corners
    dx, dy = max(22 - x, x - (SIZE - 22), 0), max(22 - y, y - (SIZE - 22), 0)
    return dx * dx + dy * dy <= 22 * 22


def color(x, y):
    if not inside(x, y):
        return (0, 0, 0, 0)
    for row, wave in enumerate(WAVES):
        column = int((x - 19) // 10)
        if 0 <= column < 9 and (x - 19) % 10 < 7:
            level = round(2.5 + 2.4 * math.sin(column * 0.75 + row * 2.1))  # six levels
            middle = 34 + 30 * row
            if abs(y - middle) <= 2.5 + 2 * level:
                return (*wave, 255)
    return (*GROUND, 255)


rows = bytearray()
for y in range(SIZE):
    rows.append(0)
    for x in range(SIZE):
        points = [color(x + (i + 0.5) / SAMPLES, y + (j + 0.5) / SAMPLES) for i in range(SAMPLES) for j in range(SAMPLES)]
        alpha = sum(point[3] for point in points)
        rows += bytes([round(sum(point[c] * point[3] for point in points) / alpha) if alpha else 0 for c in range(3)] + [round(alpha / len(points))])


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


with open(sys.argv[1], "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIZE, SIZE, 8, 6, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + chunk(b"IEND", b""))
