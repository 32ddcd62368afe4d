// Which node of a cluster has which slots (Redis Cluster specification). It is asked for, and corrected by MOVED.

import { parseValue, type RespValue } from "../resp/parse-value.ts";
import { encodeRequest } from "../resp/requests.ts";
import type { NodeConn } from "./node-conn.ts";

export class ClusterMap {
  readonly #nodes = new Array<string | undefined>(slotCount);
  readonly #anyConn: () => NodeConn;
  readonly #now: () => number;
  #isAsking = false;
  #askedAt = -Infinity;
  /** Those who wait for the first answer. */
  #waiting: (() => void)[] = [];
  #isKnown = false;

  /** `anyConn`: a connection to any node. `now`: monotonic, in milliseconds. */
  constructor(anyConn: () => NodeConn, now: () => number) {
    this.#anyConn = anyConn;
    this.#now = now;
  }

  /** The id of the node with a slot, as `host:port`. `undefined`: it is not known, any node may be asked. */
  nodeOf(slot: number): string | undefined {
    return this.#nodes[slot];
  }

  /** Calls back when the map is there, or could not be had; at once if it is. */
  whenKnown(ready: () => void): void {
    if (this.#isKnown) return ready();
    this.#waiting.push(ready);
    this.refresh();
  }

  /** A node has said where a slot is now: others may have moved, too. */
  moved(slot: number, node: string): void {
    this.#nodes[slot] = node;
    this.refresh();
  }

  /** Asks for the map, once in a second at most. */
  refresh(): void {
    if (this.#isAsking) return;
    if (this.#now() - this.#askedAt < minInterval) return this.#ready();
    this.#isAsking = true;
    this.#askedAt = this.#now();
    this.#anyConn().send(encodeRequest(["CLUSTER", "SLOTS"]), {
      replied: (reply) => {
        if (reply[0] === 42) this.#take(parseValue(reply));
        this.#answered();
      },
      broken: () => this.#answered(),
    });
  }

  #take(ranges: RespValue): void {
    for (const range of listOf(ranges)) {
      const [first, last, primary] = listOf(range);
      const [host, port] = listOf(primary);
      if (typeof first !== "number" || typeof last !== "number") continue;
      const isNamed = typeof host === "string" && host !== "" && typeof port === "number";
      const node = isNamed ? `${host.includes(":") ? `[${host}]` : host}:${port}` : undefined;
      this.#nodes.fill(node, Math.max(0, first), Math.min(last + 1, slotCount));
    }
    this.#isKnown = true;
  }

  #answered(): void {
    this.#isAsking = false;
    this.#ready();
  }

  #ready(): void {
    for (const ready of this.#waiting.splice(0)) ready();
  }
}

function listOf(value: RespValue | undefined): readonly RespValue[] {
  return typeof value === "object" && value !== null ? value : [];
}

const slotCount = 16_384;
/** In milliseconds. Not a prop: MOVED keeps the map right meanwhile. */
const minInterval = 1000;
