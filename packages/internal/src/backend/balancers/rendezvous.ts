// hash and ipHash: equal keys go to the same node, and few of them move when nodes come and go.

import type { Balanced, Balancer, Explained } from "../balancer.ts";
import type { SelectionHint } from "../selection-hint.ts";
import { highest } from "./round-robin.ts";

/**
 * Rendezvous hashing (Thaler and Ravishankar, 1998): each node is scored with the key, and the highest score wins. When a node goes,
 * only its own keys move; when one comes, it takes an even share from all. Weights by the logarithmic method (Schindelhauer and Schomaker, 2005).
 * The scores depend on key and node alone, so that all processes agree, also after a restart.
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
  // From above 0 to below 1.
  const point = (hash(key, hash(id, offset)) + 0.5) / 2 ** 32;
  return -weight / Math.log(point);
}

/** FNV-1a over the text's code units, then MurmurHash3's finalizer: without it, keys that differ in their last letter alone score alike. */
function hash(text: string, seed: number): number {
  let value = seed;
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

const offset = 0x811c9dc5;
