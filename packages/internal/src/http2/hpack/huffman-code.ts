// The Huffman code of RFC 7541 Appendix B. It is canonical: of codes of one length the smaller symbol has the smaller
// code, and shorter codes come first; so the lengths say it all.

/** Symbols by the length of their codes, in bits. Text stands for its characters, a pair of numbers for a range. */
const symbolsByLength: readonly (readonly [
  bits: number,
  ...symbols: (string | number | readonly [number, number])[],
])[] = [
  [5, "012aceiost"],
  [6, " %-./3456789=A_bdfghlmnpru"],
  [7, ":BCDEFGHIJKLMNOPQRSTUVWYjkqvwxyz"],
  [8, "&*,;XZ"],
  [10, '!"()?'],
  [11, "'+|"],
  [12, "#>"],
  [13, 0, "$@[]~"],
  [14, "^}"],
  [15, "<`{"],
  [19, "\\", 195, 208],
  [20, 128, 130, 131, 162, 184, 194, 224, 226],
  [21, 153, 161, 167, 172, 176, 177, 179, 209, 216, 217, 227, 229, 230],
  [
    22,
    129,
    [132, 134],
    136,
    146,
    154,
    156,
    160,
    163,
    164,
    169,
    170,
    173,
    178,
    181,
    [185, 187],
    189,
    190,
    196,
    198,
    228,
    232,
    233,
  ],
  [
    23,
    1,
    135,
    [137, 141],
    143,
    147,
    [149, 152],
    155,
    157,
    158,
    165,
    166,
    168,
    174,
    175,
    180,
    182,
    183,
    188,
    191,
    197,
    231,
    239,
  ],
  [24, 9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237],
  [25, 199, 207, 234, 235],
  [26, 192, 193, [200, 202], 205, 210, 213, 218, 219, 238, 240, 242, 243, 255],
  [27, 203, 204, 211, 212, 214, [221, 223], 241, [244, 248], [250, 254]],
  [28, [2, 8], 11, 12, [14, 21], [23, 31], 127, 220, 249],
  [30, 10, 13, 22, 256],
];

/** The symbol that ends a string; nobody may send it, but its first bits, all ones, fill up the last byte. */
export const endOfString = 256;

/** For each symbol its code, in the lowest bits, and how many bits that has. */
export const huffmanCodes = new Uint32Array(257);
export const huffmanLengths = new Uint8Array(257);

let code = 0;
let length = 0;
for (const [bits, ...groups] of symbolsByLength) {
  for (const symbol of groups.flatMap(symbolsOf)) {
    code *= 2 ** (bits - length);
    length = bits;
    huffmanCodes[symbol] = code++;
    huffmanLengths[symbol] = bits;
  }
}

function symbolsOf(group: string | number | readonly [number, number]): readonly number[] {
  if (typeof group === "number") return [group];
  if (typeof group === "string") return Array.from(group, (character) => character.charCodeAt(0));
  const [first, last] = group;
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
