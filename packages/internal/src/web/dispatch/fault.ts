// What a component threw while it had a request, with the component's path.

import { ExchanError } from "../../http/exchan-error.ts";

/** Carries a thrown value from the component that threw it to the log; `cause` is that value. */
export class Fault extends Error {
  readonly path: string;
  /** It stands in the log already: it may come by two ways. */
  isNoted = false;

  constructor(path: string, thrown: unknown) {
    super(`${path} failed`, { cause: thrown });
    this.name = "Fault";
    this.path = path;
  }
}

/** The fault of the innermost component: one that is a fault already stays what it is. */
export function faultAt(path: string, thrown: unknown): Fault {
  return thrown instanceof Fault ? thrown : new Fault(path, thrown);
}

/** Did someone only learn that the client of this exchan has gone? That is nobody's fault. */
export function isPeerGone(thrown: unknown): boolean {
  return thrown instanceof ExchanError && thrown.code === "HEMI_PEER_GONE";
}
