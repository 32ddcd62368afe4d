// The fixtures of one stage, each available after its creation.

import type { Component } from "../component/component.ts";
import type { Definition } from "../component/definition.ts";
import type { Kind } from "../component/kind.ts";
import type { PropsSchema } from "../component/props/prop-type.ts";
import type { PartHolder } from "../component/reference-slot.ts";
import { HemiError } from "../errors/hemi-error.ts";
import type { OutgateOf, StageFixtures, Surroundings } from "./context.ts";
import { outgateKind } from "./kinds/outgate.ts";
import { countLookups } from "./lookup-counts.ts";

/** The definitions of the fixtures. */
export type FixtureDefinitions = {
  readonly [Name in "clock" | "fcache" | "namer"]: Definition<string, Kind, PropsSchema, StageFixtures[Name]>;
};

export class Fixtures implements StageFixtures {
  readonly #definitions: FixtureDefinitions;
  #clock: StageFixtures["clock"] | undefined;
  #fcache: StageFixtures["fcache"] | undefined;
  #namer: StageFixtures["namer"] | undefined;
  readonly #outgates: Component[] = [];

  readonly #surroundings: Pick<Surroundings, "metrics" | "workers">;

  constructor(definitions: FixtureDefinitions, surroundings: Pick<Surroundings, "metrics" | "workers">) {
    this.#definitions = definitions;
    this.#surroundings = surroundings;
  }

  get clock(): StageFixtures["clock"] {
    return this.#clock ?? notYet("clock");
  }

  get fcache(): StageFixtures["fcache"] {
    return this.#fcache ?? notYet("fcache");
  }

  get namer(): StageFixtures["namer"] {
    return this.#namer ?? notYet("namer");
  }

  outgate<Made extends object>(definition: OutgateOf<Made>): Made {
    const outgate = this.#outgates.find((component) => isMadeBy(component, definition));
    if (outgate !== undefined && isMadeBy(outgate, definition)) return outgate.part;
    throw new HemiError("HEMI_STAGE_STATE", `no pack of the stage has ${definition.sign}, which is asked for`);
  }

  /** Keeps the part if the component is a fixture or an outgate. */
  adopt(component: Component): void {
    if (component.definition.kind === outgateKind) this.#outgates.push(component);
    const { clock, fcache, namer } = this.#definitions;
    if (isMadeBy(component, clock)) this.#clock = component.part;
    if (isMadeBy(component, fcache)) this.#fcache = component.part;
    if (isMadeBy(component, namer)) {
      this.#namer = component.part;
      countLookups(component.part, this.#surroundings);
    }
  }
}

function isMadeBy<Made extends object>(
  component: Component,
  definition: OutgateOf<Made>,
): component is Component & PartHolder<Made> {
  const made: object = component.definition;
  return made === definition;
}

function notYet(name: string): never {
  throw new HemiError("HEMI_STAGE_STATE", `the ${name} is not created yet: fixtures cannot use each other in create`);
}
