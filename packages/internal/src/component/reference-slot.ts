// The storage behind a `reference` prop. It is linked when the referenced component is created, or taken over from an
// older generation.

import type { Origin } from "../config/origin.ts";
import { HemiError } from "../errors/hemi-error.ts";
import type { Capability } from "./capability.ts";
import type { Kind } from "./kind.ts";
import type { Reference } from "./reference.ts";
import { describeWanted, isWanted, type Wanted } from "./wanted.ts";

/** An object that holds a part of a kind. */
export interface PartHolder<PartType extends object = object> {
  readonly kind: Kind;
  readonly offers: readonly Capability[];
  readonly sign: string;
  readonly path: string;
  readonly origin: Origin | undefined;
  readonly part: PartType;
}

export class ReferenceSlot<PartType extends object = object> implements Reference<PartType> {
  readonly name: string;
  readonly #wanted: Wanted<PartType>;
  #holder: PartHolder<PartType> | undefined;

  constructor(wanted: Wanted<PartType>, name: string) {
    this.#wanted = wanted;
    this.name = name;
  }

  get current(): PartType {
    return this.#held.part;
  }

  get path(): string {
    return this.#held.path;
  }

  get sign(): string {
    return this.#held.sign;
  }

  get origin(): Origin | undefined {
    return this.#held.origin;
  }

  get #held(): PartHolder<PartType> {
    if (this.#holder !== undefined) return this.#holder;
    const message = `the ${this.#wanted.kind.name} "${this.name}" is not created yet: use references from prepare on`;
    throw new HemiError("HEMI_STAGE_STATE", message);
  }

  /** The linked holder; `undefined` before it is linked. */
  get holder(): PartHolder<PartType> | undefined {
    return this.#holder;
  }

  /** After this call, `current` is the part in `holder`. */
  link(holder: PartHolder): void {
    if (!isHeldAs(holder, this.#wanted))
      throw new TypeError(`${holder.path} cannot stand for ${describeWanted(this.#wanted)}`);
    this.#holder = holder;
  }
}

/** The kind and the capability determine the part's type: definitions are made with them. */
function isHeldAs<PartType extends object>(
  holder: PartHolder,
  wanted: Wanted<PartType>,
): holder is PartHolder<PartType> {
  return isWanted(holder, wanted);
}

/** The kind determines the part's type: definitions are made with it. */
export function isOfKind<PartType extends object>(
  holder: PartHolder,
  kind: Kind<PartType>,
): holder is PartHolder<PartType> {
  return holder.kind === kind;
}
