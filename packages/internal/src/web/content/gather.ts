// Buffers content that may turn out to be too large for it.

import { GatheredBytes } from "./gathered-bytes.ts";

/**
 * The whole content in one piece. If it has more than `maxSize` bytes: its pieces, with the buffered ones joined,
 * before the rest.
 */
export async function gather(
  content: AsyncIterable<Uint8Array>,
  maxSize: number,
): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
  const pieces = content[Symbol.asyncIterator]();
  const gathered = new GatheredBytes();
  for (;;) {
    const next = await pieces.next();
    if (next.done === true) return gathered.bytes();
    gathered.add(next.value);
    if (gathered.size > maxSize) return follow(gathered.bytes(), pieces);
  }
}

async function* follow(first: Uint8Array, pieces: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield first;
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) yield next.value;
  } finally {
    await pieces.return?.();
  }
}
