// Finds the route of a path. Routes without params are in a map, all others in a tree:
//
//  /users/:id(\d+)               "/u"
//  /users/:id/posts                ├─ "sers/"
//  /users/groups/*rest             │    ├─ "groups/" ── * ●
//  /units/:name                    │    ├─ :(\d+) ●
//                                  │    └─ : ── "/posts" ●
//                                  └─ "nits/" ── : ●
//
// Static text is compared by character codes. Only the params of the found route are cut out of the path. A node is
// entered at only one position of a path, so that a search with backtracking visits no node twice.

import { slashInSegment } from "../request/path.ts";
import type { Pattern, PatternPart } from "./pattern.ts";

/** A method and a pattern with their target. */
export interface Route<Target> {
  /** `undefined`: all methods. */
  readonly method: string | undefined;
  /** The parsed pattern. */
  readonly pattern: Pattern;
  /** The target: for a Mapper, the function. */
  readonly target: Target;
}

/** A route with the params of a path. */
export interface Match<Target> {
  /** The route that was found. */
  readonly route: Route<Target>;
  /** The text of each param, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

export class RouteTree<Target> {
  readonly #statics = new Map<string, Leaf<Target>>();
  readonly #root: Node<Target> = makeNode("");
  readonly #methods = new Set<string>();
  /**
   * The start and end positions of the params in the current search. A search is synchronous, so there is only one at a
   * time.
   */
  #bounds = new Int32Array(0);

  /** Returns the conflicting route, if any: the same method on the same shape. */
  add(route: Route<Target>): Route<Target> | undefined {
    const { method, pattern } = route;
    const leaf = this.#leafOf(pattern);
    const taken = method === undefined ? leaf.any : leaf.byMethod.get(method);
    if (taken !== undefined) return taken;
    if (method === undefined) leaf.any = route;
    else leaf.byMethod.set(method, route);
    if (method !== undefined) this.#methods.add(method);
    if (pattern.names.length * 2 > this.#bounds.length) this.#bounds = new Int32Array(pattern.names.length * 2);
    return undefined;
  }

  /**
   * `path`: in the form of `segmentedPath`. Priority at each segment: static text, then params with a constraint in the
   * order in which they were added, then the param, then the wildcard. If one leads to no route of this method, the
   * next is tried. HEAD uses the route of GET if it has none.
   */
  find(method: string, path: string): Match<Target> | undefined {
    const leaf = this.#statics.get(path);
    if (leaf !== undefined) {
      const route = routeFor(leaf, method);
      if (route !== undefined) return { route, params: noParams };
    }
    const route = search(this.#root, path, 0, method, this.#bounds, 0);
    return route === undefined ? undefined : { route, params: cutParams(route.pattern.names, path, this.#bounds) };
  }

  /**
   * The methods that `find` has a route for, sorted. If a route accepts any method, only the methods of other routes.
   */
  methodsOf(path: string): string[] {
    const methods = this.#methods.has("GET") ? [...this.#methods, "HEAD"] : [...this.#methods];
    return [...new Set(methods)].filter((method) => this.find(method, path) !== undefined).sort();
  }

  #leafOf(pattern: Pattern): Leaf<Target> {
    if (pattern.names.length > 0) return growLeaf(this.#root, pattern.parts);
    const leaf = this.#statics.get(pattern.text) ?? makeLeaf();
    this.#statics.set(pattern.text, leaf);
    return leaf;
  }
}

/** The routes that end at one node. */
interface Leaf<Target> {
  readonly byMethod: Map<string, Route<Target>>;
  any: Route<Target> | undefined;
}

interface Node<Target> {
  /** The text that the path must continue with. Empty for the root and after a param. */
  text: string;
  /** By the first character code of their text. */
  children: (Node<Target> | undefined)[];
  /** Those with a constraint first. */
  params: ParamNode<Target>[];
  wildcard: Leaf<Target> | undefined;
  leaf: Leaf<Target> | undefined;
}

interface ParamNode<Target> {
  readonly constraint: RegExp | undefined;
  readonly next: Node<Target>;
}

const noParams: Readonly<Record<string, string>> = Object.freeze({});
const slash = 0x2f;

function makeNode<Target>(text: string): Node<Target> {
  return { text, children: [], params: [], wildcard: undefined, leaf: undefined };
}

function makeLeaf<Target>(): Leaf<Target> {
  return { byMethod: new Map(), any: undefined };
}

function routeFor<Target>(leaf: Leaf<Target>, method: string): Route<Target> | undefined {
  return leaf.byMethod.get(method) ?? (method === "HEAD" ? leaf.byMethod.get("GET") : undefined) ?? leaf.any;
}

/** Searches from `index` on, after `node`'s own text. `bounds` has `depth` numbers so far. */
function search<Target>(
  node: Node<Target>,
  path: string,
  index: number,
  method: string,
  bounds: Int32Array,
  depth: number,
): Route<Target> | undefined {
  if (index === path.length) {
    const route = node.leaf === undefined ? undefined : routeFor(node.leaf, method);
    if (route !== undefined) return route;
  } else {
    const child = node.children[path.charCodeAt(index)];
    if (child !== undefined && holds(path, index, child.text)) {
      const route = search(child, path, index + child.text.length, method, bounds, depth);
      if (route !== undefined) return route;
    }
    if (node.params.length > 0) {
      const end = segmentEnd(path, index);
      if (end > index) {
        for (const param of node.params) {
          if (param.constraint !== undefined && !param.constraint.test(cutParam(path, index, end))) continue;
          const route = search(param.next, path, end, method, bounds, depth + 2);
          if (route === undefined) continue;
          bounds[depth] = index;
          bounds[depth + 1] = end;
          return route;
        }
      }
    }
  }
  const route = node.wildcard === undefined ? undefined : routeFor(node.wildcard, method);
  if (route === undefined) return undefined;
  bounds[depth] = index;
  bounds[depth + 1] = path.length;
  return route;
}

function holds(path: string, index: number, text: string): boolean {
  if (path.length - index < text.length) return false;
  for (let i = 1; i < text.length; i++) if (path.charCodeAt(index + i) !== text.charCodeAt(i)) return false;
  return true;
}

function segmentEnd(path: string, index: number): number {
  let end = index;
  while (end < path.length && path.charCodeAt(end) !== slash) end++;
  return end;
}

function cutParams(names: readonly string[], path: string, bounds: Int32Array): Record<string, string> {
  const params: Record<string, string> = {};
  for (let i = 0; i < names.length; i++) params[names[i] ?? ""] = cutParam(path, bounds[2 * i], bounds[2 * i + 1]);
  return params;
}

function cutParam(path: string, start: number | undefined, end: number | undefined): string {
  const text = path.slice(start, end);
  return text.includes(slashInSegment) ? text.replaceAll(slashInSegment, "/") : text;
}

function growLeaf<Target>(root: Node<Target>, parts: readonly PatternPart[]): Leaf<Target> {
  let node = root;
  for (const part of parts) {
    if (part.type === "wildcard") return (node.wildcard ??= makeLeaf());
    node = part.type === "static" ? growText(node, part.text) : growParam(node, part.constraint);
  }
  return (node.leaf ??= makeLeaf());
}

/** The node after `text`, starting from `node`. Nodes on the way are split where the text differs. */
function growText<Target>(node: Node<Target>, text: string): Node<Target> {
  if (text === "") return node;
  const code = text.charCodeAt(0);
  const child = node.children[code];
  if (child === undefined) {
    const grown = makeNode<Target>(text);
    node.children[code] = grown;
    return grown;
  }
  let shared = 1;
  while (shared < child.text.length && text.charCodeAt(shared) === child.text.charCodeAt(shared)) shared++;
  if (shared < child.text.length) {
    const fork = makeNode<Target>(child.text.slice(0, shared));
    child.text = child.text.slice(shared);
    fork.children[child.text.charCodeAt(0)] = child;
    node.children[code] = fork;
    return growText(fork, text.slice(shared));
  }
  return growText(child, text.slice(shared));
}

function growParam<Target>(node: Node<Target>, constraint: RegExp | undefined): Node<Target> {
  const known = node.params.find((param) => param.constraint?.source === constraint?.source);
  if (known !== undefined) return known.next;
  const next = makeNode<Target>("");
  const place =
    constraint === undefined
      ? node.params.length
      : node.params.filter((param) => param.constraint !== undefined).length;
  node.params.splice(place, 0, { constraint, next });
  return next;
}
