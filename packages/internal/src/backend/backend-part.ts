// The life of a backend as a component, whatever protocol its nodes speak.

import type { Part } from "../component/part.ts";
import type { Backend } from "./backend.ts";
import type { NodePool } from "./node.ts";
import type { NodeChoice } from "./node-choice.ts";
import { followChanges, type NodeSettings } from "./props.ts";
import type { SelectionHint } from "./selection-hint.ts";

/** A component that is a group of nodes. A subclass makes the group, and adds how work gets to a node. */
export abstract class BackendPart<Pool extends NodePool, Settings extends NodeSettings> implements Part {
  /** Live: read when used. */
  protected readonly props: Settings;
  /** Its nodes. */
  protected abstract readonly backend: Backend<Pool>;

  constructor(props: Settings) {
    this.props = props;
  }

  prepare(): Promise<void> {
    return this.backend.prepare();
  }

  start(): void {
    this.backend.start();
  }

  update(changed: ReadonlySet<string>): void {
    followChanges(this.backend, changed, this.props);
  }

  /** What a reload drops ends what it has begun. */
  drain(): Promise<void> {
    return this.backend.drain();
  }

  shutdown(): Promise<void> {
    return this.backend.shutdown();
  }

  /** As of `Backend`. */
  whyNoRetry(tried: readonly string[]): string | undefined {
    return this.backend.whyNoRetry(tried);
  }

  /** As of `Backend`. */
  explain(wish: SelectionHint): NodeChoice {
    return this.backend.explain(wish);
  }
}
