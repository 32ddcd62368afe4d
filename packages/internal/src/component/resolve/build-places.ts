// Gives every component its place in the tree: sign, kind, owner, name, and the props that it sets.

import type { Steps } from "@hemi/common";
import { componentPaths } from "../../config/component-paths.ts";
import { quote } from "../../config/quote.ts";
import type { ComponentSpec, PropSpec } from "../../config/spec.ts";
import type { Definition } from "../definition.ts";
import { didYouMean } from "../did-you-mean.ts";
import { describeKind } from "../kind.ts";
import type { Kind, Standing } from "../kind.ts";
import { expandShorthands } from "./expand.ts";
import { childKey, describePlace, hasUnread, propNamed } from "./place.ts";
import type { Place } from "./place.ts";
import type { Problems } from "./problems.ts";
import type { Registry } from "./registry.ts";

/** The place of the stage, with all descendants. Misplaced components are reported, and placed as well as possible. */
export function buildPlaces(stage: ComponentSpec, scope: PlacesScope): Steps<Place> {
  return new Builder(scope).stage(stage);
}

export interface PlacesScope {
  readonly registry: Registry;
  /** Maps signs that are not in the registry to the packages that have them, for hints. */
  readonly knownPackages: ReadonlyMap<string, string>;
  /** Signs of other servers, with what does the same here. */
  readonly foreignNames: ReadonlyMap<string, string>;
  /** What may be set of the stage itself. */
  readonly stageSettings: Definition | undefined;
  readonly problems: Problems;
}

class Builder {
  readonly #registry: Registry;
  readonly #knownPackages: ReadonlyMap<string, string>;
  readonly #foreignNames: ReadonlyMap<string, string>;
  readonly #stageSettings: Definition | undefined;
  readonly #problems: Problems;

  constructor({ registry, knownPackages, foreignNames, stageSettings, problems }: PlacesScope) {
    this.#registry = registry;
    this.#knownPackages = knownPackages;
    this.#foreignNames = foreignNames;
    this.#stageSettings = stageSettings;
    this.#problems = problems;
  }

  *stage(written: ComponentSpec): Steps<Place> {
    const spec = expandShorthands(written, (sign) => this.#registry.find(sign));
    const always = this.#registry.definitions.filter(({ kind }) => kind.always === true);
    const set = new Set(spec.children.map(({ sign }) => this.#registry.find(sign)));
    const added = always.filter((definition) => !set.has(definition)).map(({ sign }) => bareSpec(sign, spec));
    const place = yield* this.#place({ ...spec, children: [...added, ...spec.children] }, undefined, "");
    this.#checkOnce(place);
    return place;
  }

  *#place(spec: ComponentSpec, owner: Place | undefined, path: string): Steps<Place> {
    yield;
    const children: Place[] = [];
    const named = new Map<string, Place>();
    const place = this.#alone(spec, owner, path, { children, named });
    const known = spec.children.map(({ sign, name }) => ({ sign: this.#registry.find(sign)?.sign ?? sign, name }));
    const paths = componentPaths(known, path);
    for (const [index, childSpec] of spec.children.entries()) {
      const childPath = paths[index] ?? "";
      let child: Place;
      if (childSpec.children.length > 0) child = yield* this.#place(childSpec, place, childPath);
      else {
        // Of thousands of components, most contain none: they need no generator of their own.
        yield;
        child = this.#alone(childSpec, place, childPath, nothingInside);
      }
      children.push(child);
      if (childSpec.name === undefined || hasUnread(child, "head")) continue;
      const key = childKey(child.definition?.kind.name ?? childSpec.sign, childSpec.name);
      if (named.has(key)) this.#reportDoubledName(child);
      else named.set(key, child);
    }
    return place;
  }

  #alone(
    spec: ComponentSpec,
    owner: Place | undefined,
    path: string,
    { children, named }: Pick<Place, "children" | "named">,
  ): Place {
    const definition = owner === undefined ? this.#stageSettings : this.#registry.find(spec.sign);
    const set = this.#set({ spec, definition, owner, path });
    const place: Place = { spec, definition, owner, path, children, named, set };
    if (owner === undefined) return place;
    if (definition === undefined) this.#reportUnknownSign(place);
    else this.#checkStanding(place, definition, owner);
    return place;
  }

  #set(place: Pick<Place, "spec" | "definition" | "owner" | "path">): ReadonlyMap<string, PropSpec> {
    if (place.spec.props.length === 0) return nothingSet;
    const set = new Map<string, PropSpec>();
    for (const prop of place.spec.props) {
      const name = propNamed(place.definition, prop.name) ?? prop.name;
      const other = set.get(name);
      if (other === undefined) set.set(name, prop);
      else {
        this.#problems.add(place, {
          code: "HEMI_CONFIG_DUPLICATE_PROP",
          span: prop.nameSpan,
          message: `${describePlace(place)} sets .${name} twice`,
          hint: other.name === prop.name ? undefined : `.${other.name} and .${prop.name} are the same`,
        });
      }
    }
    return set;
  }

  #checkStanding(place: Place, { kind }: Definition, owner: Place): void {
    const { spec } = place;
    if (spec.condition !== undefined && spec.condition.type !== "unread" && kind.takesCondition !== true) {
      const message = `${describePlace(place)} takes no condition`;
      this.#problems.add(place, { code: "HEMI_CONFIG_CONDITION", span: spec.condition.span, message });
    }
    // If the owner is unknown, its allowed children are unknown, too.
    if (owner.owner !== undefined && owner.definition === undefined) return;
    const ownerKind = owner.definition?.kind.name ?? "stage";
    const standing = kind.standsIn.find((standing) => standing.owner === ownerKind);
    if (standing === undefined) {
      this.#problems.add(place, {
        code: "HEMI_CONFIG_MISPLACED",
        span: spec.signSpan,
        message: `${describePlace(place)} cannot stand in ${describePlace(owner)}`,
        hint: `${describeKind(kind)} stands in ${placesOf(kind)}`,
      });
    } else this.#checkName(place, standing, owner);
  }

  #checkName(place: Place, { naming }: Standing, owner: Place): void {
    if (hasUnread(place, "head")) return;
    const { name, nameSpan, sign, signSpan } = place.spec;
    const code = "HEMI_CONFIG_NAME";
    if (name === undefined) {
      if (naming !== "required") return;
      const message = `${sign} needs a name in ${describePlace(owner)}`;
      this.#problems.add(place, { code, span: signSpan, message, hint: `write ${sign} "name"` });
    } else if (naming === "none") {
      const message = `${sign} takes no name in ${describePlace(owner)}`;
      this.#problems.add(place, { code, span: nameSpan ?? signSpan, message });
    } else if (!/^[^/\p{Cc}]+$/u.test(name)) {
      const message = `${quote(name)} is no name: it must not be empty or hold a slash or control characters`;
      this.#problems.add(place, { code, span: nameSpan ?? signSpan, message });
    }
  }

  #checkOnce(stage: Place): void {
    const seen = new Set<Definition>();
    for (const place of stage.children) {
      const { definition, spec } = place;
      if (definition?.kind.once !== true) continue;
      if (seen.has(definition)) {
        const message = `${spec.sign} stands in the stage twice, but a stage has only one`;
        this.#problems.add(place, { code: "HEMI_CONFIG_NAME", span: spec.signSpan, message });
      }
      seen.add(definition);
    }
  }

  #reportDoubledName(place: Place): void {
    const { sign, name = "", nameSpan, signSpan } = place.spec;
    const kind = place.definition?.kind.name ?? sign;
    const message = `another ${kind} beside it is named ${quote(name)}, too`;
    this.#problems.add(place, { code: "HEMI_CONFIG_NAME", span: nameSpan ?? signSpan, message });
  }

  #reportUnknownSign(place: Place): void {
    const { sign, signSpan } = place.spec;
    const owner = place.owner?.owner === undefined ? "stage" : place.owner.definition?.kind.name;
    const fitting = this.#registry.definitions.filter(
      ({ kind }) => owner === undefined || kind.standsIn.some((standing) => standing.owner === owner),
    );
    const known = this.#knownPackages.get(sign);
    const near =
      this.#foreignNames.get(sign) ??
      didYouMean(
        sign,
        fitting.map((definition) => definition.sign),
        String,
      );
    this.#problems.add(place, {
      code: "HEMI_CONFIG_UNKNOWN_SIGN",
      span: signSpan,
      message: `there is no component ${quote(sign)}`,
      hint:
        known === undefined
          ? (near ??
            "components of your own come from packs: --use MODULE on the command line, { use: [pack] } in a program")
          : `it is in ${known}: install that package and add it to the packs in use`,
    });
  }
}

/** `a webapp or a rule` */
function placesOf({ standsIn }: Kind): string {
  const places = standsIn.map(({ owner }) => (owner === "stage" ? "the stage" : describeKind({ name: owner })));
  return places.join(" or ");
}

const nothingInside: Pick<Place, "children" | "named"> = { children: [], named: new Map() };

/** Most components of a large configuration set no props: they share one map. */
const nothingSet: ReadonlyMap<string, PropSpec> = new Map();

/** A component that the stage creates itself, as if the configuration contained it. */
function bareSpec(sign: string, { signSpan, span }: ComponentSpec): ComponentSpec {
  return { sign, signSpan, name: undefined, nameSpan: undefined, condition: undefined, props: [], children: [], span };
}
