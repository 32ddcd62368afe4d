// Equality of resolved components and of their props.

import type { Condition } from "./condition.ts";
import type { PropType } from "./props/prop-type.ts";
import type { ResolvedComponent } from "./resolve/resolved.ts";
import { schemaOf } from "./resolve/schema.ts";

/** Compares components of two configurations. Siblings share values: what was found equal is not compared again. */
export class Equality {
  /** From values of the old configuration to equal ones of the new one. */
  readonly #known = new Map<unknown, unknown>();

  /** Whether they are equal with all their descendants: definition, name, condition and props. */
  areEqual(before: ResolvedComponent, after: ResolvedComponent): boolean {
    const { definition } = after;
    if (before.definition !== definition || before.sign !== after.sign || before.name !== after.name) return false;
    if (before.children.length !== after.children.length) return false;
    if (!areConditionsEqual(before.condition, after.condition)) return false;
    if (definition !== undefined) {
      for (const [name, { type }] of schemaOf(definition).props) {
        if (!this.areValuesEqual(type, before.props[name], after.props[name])) return false;
      }
    }
    return after.children.every((child, index) => {
      const other = before.children[index];
      return other !== undefined && this.areEqual(other, child);
    });
  }

  /** Two values of one prop. References are compared by name. */
  areValuesEqual(type: PropType<unknown>, before: unknown, after: unknown): boolean {
    if (before === after) return true;
    if (before === undefined || after === undefined) return false;
    if (type.plain === undefined && typeof before !== "object" && typeof after !== "object") return false;
    if (this.#known.get(before) === after) return true;
    const areEqual = areDataEqual(plain(type, before), plain(type, after));
    if (areEqual) this.#known.set(before, after);
    return areEqual;
  }
}

export function areConditionsEqual(before: Condition | undefined, after: Condition | undefined): boolean {
  return areDataEqual(before, after);
}

/**
 * Of plain data: numbers, texts, booleans, lists and objects, whose keys have an order: fields are sent in that of
 * their dict. What is `undefined` is as if it were not there.
 */
function areDataEqual(before: unknown, after: unknown): boolean {
  if (before === after) return true;
  if (!isObject(before) || !isObject(after)) return false;
  if (Array.isArray(before)) {
    if (!Array.isArray(after) || before.length !== after.length) return false;
    return before.every((item, index) => areDataEqual(item, after[index]));
  }
  if (Array.isArray(after)) return false;
  // Of thousands of components, with nothing made but the lists of keys.
  const [keys, others] = [Object.keys(before), Object.keys(after)];
  let place = nextSet(after, others, 0);
  for (let i = nextSet(before, keys, 0); i < keys.length; i = nextSet(before, keys, i + 1)) {
    const key = keys[i] ?? "";
    if (key !== others[place] || !areDataEqual(before[key], after[key])) return false;
    place = nextSet(after, others, place + 1);
  }
  return place === others.length;
}

/** The place of the first key from `from` on whose value is not `undefined`. */
function nextSet(data: Readonly<Record<string, unknown>>, keys: readonly string[], from: number): number {
  let place = from;
  while (place < keys.length && data[keys[place] ?? ""] === undefined) place++;
  return place;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function plain(type: PropType<unknown>, value: unknown): unknown {
  return type.plain === undefined ? value : type.plain(value);
}
