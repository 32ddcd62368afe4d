// An error of a component during a request, with the component's path.

import { ExchanError } from "../../http/exchan-error.ts";

/** Carries a thrown value from its component to the log; `cause` is the value. */
export class Fault extends Error {
  readonly path: string;
  /** Whether it is already logged: it may arrive in two ways. */
  isNoted = false;

  constructor(path: string, thrown: unknown) {
    super(`${path} failed`, { cause: thrown });
    this.name = "Fault";
    this.path = path;
  }
}

/** The fault of the innermost component: an existing fault is returned unchanged. */
export function faultAt(path: string, thrown: unknown): Fault {
  return thrown instanceof Fault ? thrown : new Fault(path, thrown);
}

/** The same, where there may be no component to blame: the thrown value is then returned as it is. */
export function faultOf<Thrown>(component: { readonly path: string } | undefined, thrown: Thrown): Thrown | Fault {
  return component === undefined ? thrown : faultAt(component.path, thrown);
}

/** Whether the error only reports that the client of this exchan has gone. This is nobody's fault. */
export function isPeerGone(thrown: unknown): boolean {
  return thrown instanceof ExchanError && thrown.code === "HEMI_PEER_GONE";
}
