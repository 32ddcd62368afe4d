// hash and ipHash: equal keys go to the same node, and few keys move when nodes are added or removed.

import type { Balanced, Balancer, Explained } from "../balancer.ts";
import type { SelectionHint } from "../selection-hint.ts";
import { highest } from "./round-robin.ts";

/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998): each node gets a score for the key, and the highest score wins. If
 * a node is removed, only its own keys move. A new node takes an even share from all others. Weights use the
 * logarithmic method (Schindelhauer and Schomaker, 2005). The scores depend on key and node only, so that all processes
 * agree, also after a restart.
 */
export class Rendezvous implements Balancer {
  choose<Node extends Balanced>({ key }: SelectionHint, candidates: readonly Node[]): Node | undefined {
    return highest(candidates, (node) => scoreOf(node, key));
  }

  explain<Node extends Balanced>(wish: SelectionHint, candidates: readonly Node[]): Explained<Node> {
    return { node: this.choose(wish, candidates), why: `its hash with ${JSON.stringify(wish.key)} is the highest` };
  }
}

function scoreOf({ id, weight }: Balanced, key: string): number {
  // Above 0 and below 1.
  const point = (hash(key, hash(id, offset)) + 0.5) / 2 ** 32;
  return -weight / Math.log(point);
}

/**
 * FNV-1a over the UTF-16 code units, then the finalizer of MurmurHash3. Without it, keys that differ only in the last
 * letter have similar scores.
 */
function hash(text: string, seed: number): number {
  let value = seed;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

const offset = 0x811c9dc5;
