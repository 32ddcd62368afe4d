// What a component threw while it had a request, with the component's path.

/** Carries a thrown value from the component that threw it to the log. */
export class Fault {
  readonly path: string;
  readonly thrown: unknown;

  constructor(path: string, thrown: unknown) {
    this.path = path;
    this.thrown = thrown;
  }
}

/** The fault of the innermost component: one that is a fault already stays what it is. */
export function faultAt(path: string, thrown: unknown): Fault {
  return thrown instanceof Fault ? thrown : new Fault(path, thrown);
}
