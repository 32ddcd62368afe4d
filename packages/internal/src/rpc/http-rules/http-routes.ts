// Finds which procedure a method and a path of HTTP call, by the templates of all of them.
//
// A literal goes before `*`, and `*` before `**`. A tree of segments: a path is compared with each of its nodes once at
// most, however many templates there are.

import type { HttpBinding } from "./http-binding.ts";

/** A call that a path stands for. */
export interface FoundRoute {
  readonly binding: HttpBinding;
  /** Of the path, without the verb. They match the template of the binding. */
  readonly segments: readonly string[];
}

/** By verb, then by method. */
type Ends = Map<string, Map<string, HttpBinding>>;

interface Node {
  readonly literals: Map<string, Node>;
  one: Node | undefined;
  /** The templates that end here. */
  readonly ends: Ends;
  /** Those that end here with `**`. */
  readonly rests: Ends;
}

export class HttpRoutes {
  readonly #root = newNode();
  #size = 0;

  /** Whether there are none. */
  get isEmpty(): boolean {
    return this.#size === 0;
  }

  /** Throws Error if another binding has the same method and the same paths. */
  add(binding: HttpBinding): void {
    const { segments, verb } = binding.template;
    const { method, path } = binding.rule;
    let node = this.#root;
    for (const segment of segments) if (segment !== "**") node = childOf(node, segment);
    const ends = segments.at(-1) === "**" ? node.rests : node.ends;
    const byMethod = ends.get(verb) ?? new Map<string, HttpBinding>();
    const other = byMethod.get(method);
    if (other !== undefined) throw new Error(`${method} ${path} calls ${other.served.path} already`);
    ends.set(verb, byMethod.set(method, binding));
    this.#size++;
  }

  /** `encodedPath` with its slash, without a query. */
  find(method: string, encodedPath: string): FoundRoute | undefined {
    for (const { segments, byMethod } of this.#matches(encodedPath)) {
      const binding = byMethod.get(method) ?? byMethod.get("*");
      if (binding !== undefined) return { binding, segments };
    }
    return undefined;
  }

  /** The methods that a path has. */
  methodsAt(encodedPath: string): readonly string[] {
    const methods = new Set<string>();
    for (const { byMethod } of this.#matches(encodedPath)) for (const method of byMethod.keys()) methods.add(method);
    return [...methods];
  }

  /** The best ones first. */
  *#matches(encodedPath: string): Generator<Match> {
    const segments = encodedPath.slice(1).split("/");
    const last = segments.at(-1) ?? "";
    const colon = last.lastIndexOf(":");
    if (colon > 0) {
      const verb = last.slice(colon + 1);
      yield* matchesBelow(this.#root, [...segments.slice(0, -1), last.slice(0, colon)], 0, verb);
    }
    // A colon that no verb stands behind is part of a segment.
    yield* matchesBelow(this.#root, segments, 0, "");
  }
}

interface Match {
  readonly segments: readonly string[];
  readonly byMethod: ReadonlyMap<string, HttpBinding>;
}

function* matchesBelow(node: Node, segments: readonly string[], at: number, verb: string): Generator<Match> {
  const segment = segments[at];
  if (segment === undefined) {
    const byMethod = node.ends.get(verb);
    if (byMethod !== undefined) yield { segments, byMethod };
  } else if (segment !== "") {
    const literal = node.literals.get(segment);
    if (literal !== undefined) yield* matchesBelow(literal, segments, at + 1, verb);
    if (node.one !== undefined) yield* matchesBelow(node.one, segments, at + 1, verb);
  }
  const byMethod = node.rests.get(verb);
  if (byMethod !== undefined) yield { segments, byMethod };
}

function childOf(node: Node, segment: string): Node {
  if (segment === "*") return (node.one ??= newNode());
  const known = node.literals.get(segment);
  if (known !== undefined) return known;
  const made = newNode();
  node.literals.set(segment, made);
  return made;
}

function newNode(): Node {
  return { literals: new Map(), one: undefined, ends: new Map(), rests: new Map() };
}
