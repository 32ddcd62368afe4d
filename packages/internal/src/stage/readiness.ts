// Whether a stage is ready for requests, and why not: what a load balancer asks before it sends any.

/** Returns why a component cannot do its work at the moment, for people; `undefined` if it can. */
export type Ailment = () => string | undefined;

/** Why a component is not ready. */
export interface UnreadyComponent {
  /** For example `http1Backend.api`. */
  readonly path: string;
  /** What it cannot do at the moment, for people. */
  readonly reason: string;
}

/** Components that can be unable to work report to it; handlets such as `health` ask it. One for each stage. */
export class Readiness {
  readonly #ailments = new Map<Ailment, () => string>();
  #phase: "starting" | "serving" | "draining" = "starting";

  /** `draining`: the program is about to end, and still serves. It does not go back from there. */
  get phase(): "starting" | "serving" | "draining" {
    return this.#phase;
  }

  /** The stage has started. */
  started(): void {
    if (this.#phase === "starting") this.#phase = "serving";
  }

  /**
   * From now on the stage is not ready, although it serves: load balancers get time to notice before it really ends.
   */
  drain(): void {
    this.#phase = "draining";
  }

  /**
   * A component can be unable to work. `path` is read when it is needed: a reload may change it. Returns the function
   * that ends this.
   */
  add(path: () => string, ailment: Ailment): () => void {
    this.#ailments.set(ailment, path);
    return () => void this.#ailments.delete(ailment);
  }

  /** The components that cannot work at the moment. */
  unready(): readonly UnreadyComponent[] {
    const unready: UnreadyComponent[] = [];
    for (const [ailment, path] of this.#ailments) {
      const reason = ailment();
      if (reason !== undefined) unready.push({ path: path(), reason });
    }
    return unready;
  }
}
