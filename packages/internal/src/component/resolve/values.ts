// Resolves values: constants, the environment, references to other props, and texts joined by `+`.

import type { PropSpec, ValueSpec } from "../../config/spec.ts";
import { didYouMean } from "../did-you-mean.ts";
import type { Value } from "../value.ts";
import { describeConfigValue } from "../value.ts";
import type { TemplatePartValue } from "../value.ts";
import { describePlace, mayLackStatements, setAt } from "./place.ts";
import type { Place } from "./place.ts";
import type { Problems } from "./problems.ts";

/** The sources of values that are not literals. */
export interface ValueScope {
  /** For example `baseDir`, without the percent sign. */
  readonly constants: ReadonlyMap<string, string>;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Resolves each prop once, however often it is inherited or referenced. Reports errors and returns `undefined` for
 * them.
 */
export class Values {
  /** The props that references read. They may have any name. */
  readonly referred = new Set<PropSpec>();
  readonly #scope: ValueScope;
  readonly #problems: Problems;
  readonly #known = new Map<PropSpec, Value | undefined>();
  /** The props that are being resolved, each because of the previous one. */
  readonly #underway: PropSpec[] = [];

  constructor(scope: ValueScope, problems: Problems) {
    this.#scope = scope;
    this.#problems = problems;
  }

  get constants(): ReadonlyMap<string, string> {
    return this.#scope.constants;
  }

  /** The value of a prop that `setter` sets. */
  ofProp(prop: PropSpec, setter: Place): Value | undefined {
    if (this.#known.has(prop)) return this.#known.get(prop);
    this.#underway.push(prop);
    const value = this.of(prop.value, setter);
    this.#underway.pop();
    this.#known.set(prop, value);
    return value;
  }

  /** A value that is written in `place`. */
  of(spec: ValueSpec, place: Place): Value | undefined {
    switch (spec.type) {
      case "bool":
      case "integer":
      case "size":
      case "duration":
      case "string":
        return spec;
      case "list":
        return this.#list(spec, place);
      case "dict":
        return this.#dict(spec, place);
      case "constant":
        return this.#constant(spec, place);
      case "env":
        return this.#env(spec, place);
      case "reference":
        return this.#reference(spec, place);
      case "variable":
        return { type: "template", parts: [{ variable: spec.name, span: spec.span }], span: spec.span };
      case "concat":
        return this.#join(spec, place);
      case "unread":
        return undefined;
    }
  }

  #list({ items, span }: ValueSpec & { type: "list" }, place: Place): Value | undefined {
    const values: Value[] = [];
    for (const item of items) {
      const value = this.of(item, place);
      if (value !== undefined) values.push(value);
    }
    return values.length === items.length ? { type: "list", items: values, span } : undefined;
  }

  #dict({ entries, span }: ValueSpec & { type: "dict" }, place: Place): Value | undefined {
    const values = [];
    for (const { key, keySpan, value: spec } of entries) {
      const value = this.of(spec, place);
      if (value !== undefined) values.push({ key, keySpan, value });
    }
    return values.length === entries.length ? { type: "dict", entries: values, span } : undefined;
  }

  #constant({ name, span }: ValueSpec & { type: "constant" }, place: Place): Value | undefined {
    const { constants } = this.#scope;
    const value = constants.get(name);
    if (value !== undefined) return { type: "string", value, span };
    const hint = didYouMean(name, [...constants.keys(), "env"], (name) => `%${name}`);
    this.#problems.add(place, { code: "HEMI_CONFIG_CONSTANT", span, message: `there is no constant %${name}`, hint });
    return undefined;
  }

  #env({ variable, fallback, span }: ValueSpec & { type: "env" }, place: Place): Value | undefined {
    const value = this.#scope.env[variable] ?? fallback;
    if (value !== undefined) return { type: "string", value, span, fromEnv: true };
    const message = `the environment variable ${variable} is not set`;
    const hint = `set it, or write %env(${variable}, "default")`;
    this.#problems.add(place, { code: "HEMI_CONFIG_ENV", span, message, hint });
    return undefined;
  }

  #reference({ name, span }: ValueSpec & { type: "reference" }, place: Place): Value | undefined {
    for (let setter: Place | undefined = place; setter !== undefined; setter = setter.owner) {
      const prop = setAt(setter, [name]);
      if (prop === undefined) continue;
      this.referred.add(prop);
      const from = this.#underway.indexOf(prop);
      if (from === -1) {
        const value = this.ofProp(prop, setter);
        return value && { ...value, span };
      }
      const circle = [...this.#underway.slice(from), prop].map((prop) => `.${prop.name}`);
      const message =
        circle.length === 2 ? `.${name} refers to itself` : `a circle of references: ${circle.join(" → ")}`;
      this.#problems.add(place, { code: "HEMI_CONFIG_REFERENCE", span, message });
      return undefined;
    }
    if (mayLackStatements(place)) return undefined;
    const message = `nothing sets .${name}, here or further out`;
    const hint = didYouMean(name, namesSetFrom(place), (name) => `.${name}`);
    this.#problems.add(place, { code: "HEMI_CONFIG_REFERENCE", span, message, hint });
    return undefined;
  }

  #join({ parts, span }: ValueSpec & { type: "concat" }, place: Place): Value | undefined {
    const joined: TemplatePartValue[] = [];
    let isRight = true;
    for (const part of parts) {
      const value = this.of(part, place);
      if (value?.type === "string") joined.push(value.value);
      else if (value?.type === "template") joined.push(...value.parts);
      else isRight = false;
      if (value === undefined || value.type === "string" || value.type === "template") continue;
      const message = `${describePlace(place)}: + joins text only, not ${describeConfigValue(value)}`;
      this.#problems.add(place, { span: part.span, message });
    }
    if (!isRight) return undefined;
    const texts = joined.filter((part) => typeof part === "string");
    if (texts.length === joined.length) return { type: "string", value: texts.join(""), span };
    return { type: "template", parts: joined, span };
  }
}

function* namesSetFrom(place: Place): Iterable<string> {
  for (let setter: Place | undefined = place; setter !== undefined; setter = setter.owner) yield* setter.set.keys();
}
