// Hemi's own icon: half a disc over its mirror image, 16 by 16 pixels, as a Windows icon of one bitmap.

const size = 16;

/**
 * One row of the upper half for each string, from the top: `#` is ink. The lower half is its mirror image, in a lighter
 * ink.
 */
const upperHalf = [
  "................",
  ".....######.....",
  "...##########...",
  "..############..",
  ".##############.",
  ".##############.",
  "################",
  "................",
];

/** Red, green, blue. */
const ink = [0x1f, 0x5f, 0xbf] as const;
const lighterInk = [0x9f, 0xc4, 0xf3] as const;

/** The bytes of an `.ico` file, made anew at each call. */
export function makeHemiIcon(): Uint8Array {
  const pixelBytes = size * size * 4;
  // One bit a pixel, rows filled up to 4 bytes. All zero: the alpha of the pixels counts.
  const maskBytes = size * 4;
  const icon = Buffer.alloc(6 + 16 + 40 + pixelBytes + maskBytes);

  // ICONDIR: type 1 is an icon; 1 image.
  icon.writeUInt16LE(1, 2);
  icon.writeUInt16LE(1, 4);

  // ICONDIRENTRY: width, height, planes, bits a pixel, bytes, offset.
  icon.writeUInt8(size, 6);
  icon.writeUInt8(size, 7);
  icon.writeUInt16LE(1, 10);
  icon.writeUInt16LE(32, 12);
  icon.writeUInt32LE(40 + pixelBytes + maskBytes, 14);
  icon.writeUInt32LE(22, 18);

  // BITMAPINFOHEADER: its own size, width, height of pixels and mask together, planes, bits a pixel.
  icon.writeUInt32LE(40, 22);
  icon.writeInt32LE(size, 26);
  icon.writeInt32LE(size * 2, 30);
  icon.writeUInt16LE(1, 34);
  icon.writeUInt16LE(32, 36);

  // Pixels: rows from the bottom up; blue, green, red, alpha.
  const rows = [...upperHalf, ...upperHalf.toReversed()];
  rows.toReversed().forEach((row, y) => {
    const [red, green, blue] = y < size / 2 ? lighterInk : ink;
    for (let x = 0; x < size; x++) {
      if (row[x] === "#") icon.set([blue, green, red, 0xff], 62 + (y * size + x) * 4);
    }
  });
  return icon;
}
