// Counts calls by procedure and outcome.

import { rpcCodes, type RpcCode } from "@hemi/common/rpc";
import { countDuration, increase } from "../metrics/count-group.ts";
import { rpcGroup } from "../metrics/groups.ts";
import { ownerLabels } from "../metrics/labels.ts";
import type { Metrics } from "../metrics/metrics.ts";

const { at } = rpcGroup;

/** The calls of whatever serves procedures. Only paths of procedures that are there have numbers of their own. */
export class CallCounts {
  readonly #metrics: Metrics;
  readonly #server: string;
  readonly #byPath = new Map<string, Float64Array>();

  /** `path`: of the component that serves. */
  constructor({ metrics, path }: { readonly metrics: Metrics; readonly path: string }) {
    this.#metrics = metrics;
    [this.#server] = ownerLabels({ name: "", path });
  }

  /** The numbers of a procedure; `path` is `/shop.v1.Stock/find`. */
  of(path: string): Float64Array {
    const known = this.#byPath.get(path);
    if (known !== undefined) return known;
    const numbers = this.#metrics.numbers(rpcGroup, [this.#server, path.slice(1)]);
    this.#byPath.set(path, numbers);
    return numbers;
  }

  /** A call of a procedure that is not there. */
  notFound(): void {
    this.refused("/", "unimplemented");
  }

  /** A call that never began. */
  refused(path: string, code: RpcCode): void {
    increase(this.of(path), at.ok + rpcCodes[code]);
  }
}

export function callBegan(numbers: Float64Array): void {
  increase(numbers, at.underWay);
}

/** `code`: `undefined` for a call that went well. `duration` in ms. */
export function callEnded(numbers: Float64Array, code: RpcCode | undefined, duration: number): void {
  increase(numbers, at.underWay, -1);
  increase(numbers, at.ok + (code === undefined ? 0 : rpcCodes[code]));
  countDuration(numbers, at.durations, duration);
}
