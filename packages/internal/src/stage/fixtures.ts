// The fixtures of one stage, each from the moment on that it is created.

import type { Component } from "../component/component.ts";
import type { StageFixtures } from "../component/context.ts";
import type { Definition } from "../component/definition.ts";
import type { Kind } from "../component/kind.ts";
import type { PropsSchema } from "../component/props/prop-type.ts";
import type { PartHolder } from "../component/reference-slot.ts";
import { HemiError } from "../errors/hemi-error.ts";

/** Which definitions make the fixtures. */
export type FixtureDefinitions = {
  readonly [Name in keyof StageFixtures]: Definition<string, Kind, PropsSchema, StageFixtures[Name]>;
};

export class Fixtures implements StageFixtures {
  readonly #definitions: FixtureDefinitions;
  #clock: StageFixtures["clock"] | undefined;
  #fcache: StageFixtures["fcache"] | undefined;
  #namer: StageFixtures["namer"] | undefined;

  constructor(definitions: FixtureDefinitions) {
    this.#definitions = definitions;
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

  /** Keeps the part if the component is one of the fixtures. */
  adopt(component: Component): void {
    const { clock, fcache, namer } = this.#definitions;
    if (isMadeBy(component, clock)) this.#clock = component.part;
    if (isMadeBy(component, fcache)) this.#fcache = component.part;
    if (isMadeBy(component, namer)) this.#namer = component.part;
  }
}

function isMadeBy<Made extends object>(
  component: Component,
  definition: Definition<string, Kind, PropsSchema, Made>,
): component is Component & PartHolder<Made> {
  return component.definition === definition;
}

function notYet(name: string): never {
  throw new HemiError("HEMI_STAGE_STATE", `the ${name} is not created yet: fixtures cannot use each other in create`);
}
