// Strings in the Huffman code of HPACK (RFC 7541 section 5.2).
//
// Decoding walks a machine of states, one for each inner node of the code's tree, by four bits at a time: a table tells
// for each state and nibble the next state, and the symbol that was completed on the way. No code is shorter than five
// bits, so that there is one at most. The table takes 16 KB and stays in the processor's cache.

import { endOfString, huffmanCodes, huffmanLengths } from "./huffman-code.ts";

/** How many bytes the text takes, encoded. It holds characters 0 to 255 only. */
export function huffmanSize(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += huffmanLengths[text.charCodeAt(i)] ?? 0;
  return (bits + 7) >>> 3;
}

/** Writes the text, encoded, at `at`; returns where it ends. */
export function writeHuffman(text: string, bytes: Uint8Array, at: number): number {
  let pending = 0;
  let pendingBits = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i);
    const code = huffmanCodes[symbol] ?? 0;
    let bits = huffmanLengths[symbol] ?? 0;
    // Up to 7 bits are pending; with 24 more a number of 31 bits still holds them.
    if (bits > 24) {
      bits -= 24;
      pending = (pending << bits) | (code >>> 24);
      pendingBits += bits;
      for (; pendingBits >= 8; pendingBits -= 8) bytes[at++] = pending >>> (pendingBits - 8);
      pending &= (1 << pendingBits) - 1;
      bits = 24;
    }
    pending = (pending << bits) | (code & ((1 << bits) - 1));
    pendingBits += bits;
    for (; pendingBits >= 8; pendingBits -= 8) bytes[at++] = pending >>> (pendingBits - 8);
    pending &= (1 << pendingBits) - 1;
  }
  if (pendingBits > 0) bytes[at++] = (pending << (8 - pendingBits)) | (0xff >>> pendingBits);
  return at;
}

/**
 * Decodes the bytes from `start` to `end` into `into`, which must have room for `maxDecodedSize`. Returns how many
 * there are; -1: the code is broken.
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, into: Uint8Array): number {
  let state = 0;
  let size = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    let step = steps[(state << 4) | (byte >>> 4)] ?? 0;
    if ((step & hasSymbol) !== 0) into[size++] = step >>> symbolShift;
    step = steps[((step & stateMask) << 4) | (byte & 0x0f)] ?? 0;
    if ((step & hasSymbol) !== 0) into[size++] = step >>> symbolShift;
    // A broken code stays broken: its state leads nowhere else.
    state = step & stateMask;
  }
  return isEnd[state] === 1 ? size : -1;
}

/** How many bytes the encoded ones can become, at most. */
export function maxDecodedSize(encodedSize: number): number {
  return Math.floor((encodedSize * 8) / 5);
}

// A step: the next state in 9 bits, a flag for a completed symbol, and the symbol.
const stateMask = 0x1ff;
const hasSymbol = 0x200;
const symbolShift = 10;

/** An inner node: for a bit the next node, or the symbol that it completes. */
interface Node {
  readonly state: number;
  readonly next: (Node | number | undefined)[];
}

const nodes: Node[] = [];
const root = makeNode();
for (let symbol = 0; symbol <= endOfString; symbol++) {
  const bits = huffmanLengths[symbol] ?? 0;
  const code = huffmanCodes[symbol] ?? 0;
  let node = root;
  for (let i = bits - 1; i > 0; i--) {
    const bit = (code >>> i) & 1;
    const next = node.next[bit];
    node = typeof next === "object" ? next : (node.next[bit] = makeNode());
  }
  node.next[code & 1] = symbol;
}
/** Where the symbol that nobody may send leads to. */
const broken = nodes.length;

const steps = new Uint32Array((nodes.length + 1) << 4).fill(broken);
for (const { state } of nodes) {
  for (let nibble = 0; nibble < 16; nibble++) steps[(state << 4) | nibble] = stepFrom(nodes[state] ?? root, nibble);
}

/** 1 for the states in which a string may end: within less than a byte of ones (RFC 7541 5.2). */
const isEnd = new Uint8Array(nodes.length + 1);
for (let bits = 0, node: Node | number | undefined = root; bits < 8 && typeof node === "object"; bits++) {
  isEnd[node.state] = 1;
  node = node.next[1];
}

function makeNode(): Node {
  const node: Node = { state: nodes.length, next: [undefined, undefined] };
  nodes.push(node);
  return node;
}

function stepFrom(start: Node, nibble: number): number {
  let node = start;
  let completed = 0;
  for (let i = 3; i >= 0; i--) {
    const next = node.next[(nibble >>> i) & 1];
    if (typeof next === "object") node = next;
    else {
      if (next === undefined || next === endOfString) return broken;
      completed = hasSymbol | (next << symbolShift);
      node = root;
    }
  }
  return node.state | completed;
}
