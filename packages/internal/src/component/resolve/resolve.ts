// From specs to resolved components: all checks that are possible before anything is created.

import { resolve as resolvePath } from "node:path";
import { finish, type Steps } from "@hemi/common";
import type { Parsed } from "../../config/parser.ts";
import type { Problem } from "../../config/problem.ts";
import type { Condition } from "../condition.ts";
import type { Definition } from "../definition.ts";
import type { Kind } from "../kind.ts";
import type { Pack } from "../pack.ts";
import { buildPlaces } from "./build-places.ts";
import { Checks } from "./checks.ts";
import { ComponentReferences } from "./component-references.ts";
import type { Edge } from "./component-references.ts";
import { readCondition } from "./conditions.ts";
import { findSet, mayLackStatements } from "./place.ts";
import type { Place } from "./place.ts";
import { PlacedComponent } from "./placed-component.ts";
import { Problems } from "./problems.ts";
import { readProps } from "./read-props.ts";
import { registry } from "./registry.ts";
import type { ResolvedComponent, ResolvedReference } from "./resolved.ts";
import { checkUnknownProps } from "./unknown-props.ts";
import { UnsetProps } from "./unset-props.ts";
import { Values } from "./values.ts";

export interface ResolveOptions {
  readonly kinds: readonly Kind[];
  readonly packs: readonly Pack[];
  /** Maps signs to the packages that have them. The message about an unknown sign names the package. Default: empty. */
  readonly knownPackages?: ReadonlyMap<string, string> | undefined;
  /** Signs and props of other servers, with what does the same here: hints. Default: none are known. */
  readonly foreignNames?: ReadonlyMap<string, string> | undefined;
  /** What may be set of the stage itself. Without it: nothing. */
  readonly stageSettings?: Definition;
  /** `%baseDir`, against which relative paths are resolved. Default: the working directory. */
  readonly baseDir?: string | undefined;
  /** `%logsDir`. Default: `logs` in the base directory. */
  readonly logsDir?: string | undefined;
  /** `%tmpsDir`. Default: `tmps` in the base directory. */
  readonly tmpsDir?: string | undefined;
  /** `%varsDir`. Default: `vars` in the base directory. */
  readonly varsDir?: string | undefined;
  /** The source of `%env`. Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

export interface Resolution {
  /** Undefined if there are problems. */
  readonly stage: ResolvedComponent | undefined;
  /** All independent problems, in the order in which they were found. */
  readonly problems: readonly Problem[];
  /** What is allowed, and most likely not meant; likewise. */
  readonly doubts: readonly Problem[];
}

/**
 * Accepts a parse result with problems, and adds the problems of the remaining tree. Throws if packs conflict
 * (HEMI_CONFIG_SIGN_CONFLICT). Problems of the configuration are returned, not thrown.
 */
export function resolve(parsed: Parsed, options: ResolveOptions): Resolution {
  return finish(resolveSteps(parsed, options));
}

/** The same, for stages that serve while they read thousands of components. */
export function* resolveSteps({ spec, problems: parsing }: Parsed, options: ResolveOptions): Steps<Resolution> {
  if (spec?.sign !== "stage") return { stage: undefined, problems: parsing, doubts: [] };
  const baseDir = resolvePath(options.baseDir ?? "");
  const dir = (given: string | undefined, name: string): string => resolvePath(baseDir, given ?? name);
  const constants = new Map([
    ["baseDir", baseDir],
    ["logsDir", dir(options.logsDir, "logs")],
    ["tmpsDir", dir(options.tmpsDir, "tmps")],
    ["varsDir", dir(options.varsDir, "vars")],
  ]);
  const problems = new Problems(parsing);
  const values = new Values({ constants, env: options.env ?? process.env }, problems);
  const known = registry(options.packs, options.kinds);
  const references = new ComponentReferences(known.definitions, problems);
  const { knownPackages = new Map(), foreignNames = new Map(), stageSettings } = options;
  const place = yield* buildPlaces(spec, { registry: known, knownPackages, foreignNames, stageSettings, problems });
  const checks = new Checks(references, problems);
  const resolver = new Resolver({ baseDir, values, references, checks, problems, unset: new UnsetProps() });
  const stage = yield* resolver.component(place);
  references.checkCircles();
  checkUnknownProps(place, { definitions: known.definitions, foreignNames, values, problems });
  yield* checks.run();
  resolver.linkReferences();
  const { found, doubts } = problems;
  return { stage: found.length === 0 ? stage : undefined, problems: found, doubts };
}

interface ResolverScope {
  readonly baseDir: string;
  readonly values: Values;
  readonly references: ComponentReferences;
  readonly checks: Checks;
  readonly problems: Problems;
  readonly unset: UnsetProps;
}

class Resolver {
  readonly #scope: ResolverScope;
  readonly #resolved = new Map<Place, ResolvedComponent>();
  readonly #unlinked: { readonly edges: readonly Edge[]; readonly references: ResolvedReference[] }[] = [];

  constructor(scope: ResolverScope) {
    this.#scope = scope;
  }

  /** With its descendants. */
  *component(place: Place): Steps<ResolvedComponent> {
    yield;
    const children: ResolvedComponent[] = [];
    const resolved = this.#alone(place, children);
    for (const child of place.children) {
      if (child.children.length > 0) children.push(yield* this.component(child));
      else {
        // Of thousands of components, most contain none: they need no generator of their own.
        yield;
        children.push(this.#alone(child, noChildren));
      }
    }
    return resolved;
  }

  #alone(place: Place, children: readonly ResolvedComponent[]): ResolvedComponent {
    const { definition, spec } = place;
    const { props, areRight } = definition === undefined ? noProps : readProps(place, definition, this.#scope);
    const condition = this.#condition(place, props);
    const isRight = areRight && !mayLackStatements(place) && (condition !== undefined || spec.condition === undefined);
    if (definition !== undefined && isRight) this.#scope.checks.add(place, definition, props);
    const edges = this.#scope.references.from(place);
    const references: ResolvedReference[] = [];
    if (edges.length > 0) this.#unlinked.push({ edges, references });
    const resolved = new PlacedComponent(place, { condition, props, references, children });
    this.#resolved.set(place, resolved);
    return resolved;
  }

  /** Sets the targets of references, after all components exist. */
  linkReferences(): void {
    for (const { edges, references } of this.#unlinked) {
      for (const { prop, slot, target } of edges) {
        const component = this.#resolved.get(target);
        if (component !== undefined) references.push({ prop, slot, target: component });
      }
    }
  }

  #condition(place: Place, props: Readonly<Record<string, unknown>>): Condition | undefined {
    const { condition } = place.spec;
    const kind = place.definition?.kind;
    if (condition === undefined || kind?.takesCondition !== true) return undefined;
    const { values, problems } = this.#scope;
    const lacks = (name: string): boolean => {
      const prop = place.definition?.props?.[name];
      const isSet = prop !== undefined && findSet(place, name, prop) !== undefined;
      return props[name] === undefined && !isSet && !mayLackStatements(place);
    };
    return readCondition(condition, { place, kind, values, problems, lacks });
  }
}

const noProps = { props: {}, areRight: true };
const noChildren: readonly ResolvedComponent[] = [];
