// The slot of a key in a cluster (Redis Cluster specification, "Key distribution model").

/** 0 to 16383: CRC16 of the key, or of what stands between its first braces. */
export function slotOf(key: Buffer): number {
  const open = key.indexOf(123);
  const close = open < 0 ? -1 : key.indexOf(125, open + 1);
  return close > open + 1 ? crc16(key, open + 1, close) & 16_383 : crc16(key, 0, key.length) & 16_383;
}

/** XMODEM: polynomial 0x1021, begins with 0. */
function crc16(bytes: Buffer, start: number, end: number): number {
  let crc = 0;
  for (let i = start; i < end; i++) crc = ((crc << 8) & 0xffff) ^ (crcTable[(crc >> 8) ^ (bytes[i] ?? 0)] ?? 0);
  return crc;
}

const crcTable = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
  return crc & 0xffff;
});
