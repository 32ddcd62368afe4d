// An index over the conditions of a webapp's rules. It skips rules that are provably false, so that a webapp with
// thousands of rules costs little more than one with a few.
//
//  rule $path == "/a" …                   exact       "/a"    -> 0
//  rule $path ^= "/b/" && $query_x == …   prefixes    "/b/"   -> 1
//  rule $hostname == "c.example" …        hostnames   …       -> 2
//  rule $header_x == "y"                  always      3
//
// From each condition it extracts one necessary term. The remaining rules are tried in order as usual.

import type { Condition } from "../../component/condition.ts";

/** The parts of a request that the index reads. */
export interface IndexedRequest {
  /** `$path` */
  readonly path: string;
  /** `$hostname` */
  readonly hostname: string;
  /** `$method` */
  readonly method: string;
}

/** Numbers of rules, ascending. */
type RuleNumbers = number[];

export class RuleIndex {
  readonly #size: number;
  readonly #always: RuleNumbers = [];
  readonly #byPath = new Map<string, RuleNumbers>();
  readonly #byPrefix = new Map<string, RuleNumbers>();
  readonly #prefixLengths: readonly number[];
  readonly #byHostname = new Map<string, RuleNumbers>();
  readonly #byMethod = new Map<string, RuleNumbers>();
  /** The last path with its result: the rules of one request cause several look-ups. */
  #path: string | undefined;
  readonly #found: RuleNumbers[] = [];

  /** `undefined`: a rule without a condition. */
  constructor(conditions: readonly (Condition | undefined)[]) {
    this.#size = conditions.length;
    conditions.forEach((condition, number) => this.#add(condition && demandOf(condition), number));
    this.#prefixLengths = [...new Set([...this.#byPrefix.keys()].map(({ length }) => length))].sort((a, b) => a - b);
  }

  /**
   * The number of the first rule, at or after `from`, whose condition may be true; the number of rules if there is
   * none.
   */
  next(from: number, req: IndexedRequest): number {
    let next = firstFrom(this.#always, from, this.#size);
    const { path } = req;
    if (path !== this.#path) this.#lookUp(path);
    for (const numbers of this.#found) next = firstFrom(numbers, from, next);
    if (this.#byHostname.size > 0) next = firstFrom(this.#byHostname.get(req.hostname), from, next);
    if (this.#byMethod.size > 0) next = firstFrom(this.#byMethod.get(req.method), from, next);
    return next;
  }

  #lookUp(path: string): void {
    this.#path = path;
    this.#found.length = 0;
    const exact = this.#byPath.get(path);
    if (exact !== undefined) this.#found.push(exact);
    for (const length of this.#prefixLengths) {
      if (length > path.length) break;
      const numbers = this.#byPrefix.get(path.substring(0, length));
      if (numbers !== undefined) this.#found.push(numbers);
    }
  }

  #add(demand: Demand | undefined, number: number): void {
    if (demand === undefined) return void this.#always.push(number);
    for (const { key, value } of demand) {
      const table = { path: this.#byPath, prefix: this.#byPrefix, hostname: this.#byHostname, method: this.#byMethod }[
        key
      ];
      const numbers = table.get(value);
      if (numbers === undefined) table.set(value, [number]);
      else if (numbers.at(-1) !== number) numbers.push(number);
    }
  }
}

/** The condition can be true only if one of them is true. An empty list: never. */
type Demand = readonly { readonly key: "path" | "prefix" | "hostname" | "method"; readonly value: string }[];

/** A necessary term of the condition; `undefined` if there is none. A reload asks anew for those of all rules. */
function demandOf(condition: Condition): Demand | undefined {
  if (demands.has(condition)) return demands.get(condition);
  const demand = findDemand(condition);
  demands.set(condition, demand);
  return demand;
}

const demands = new WeakMap<Condition, Demand | undefined>();

function findDemand(condition: Condition): Demand | undefined {
  switch (condition.type) {
    case "and":
      // Any operand is necessary: choose the most selective one.
      return condition.operands
        .map(demandOf)
        .filter((demand) => demand !== undefined)
        .toSorted((a, b) => breadthOf(a) - breadthOf(b))
        .at(0);
    case "or": {
      const demands = condition.operands.map(demandOf);
      const known = demands.filter((demand) => demand !== undefined);
      return known.length === demands.length ? known.flat() : undefined;
    }
    case "compare":
      return demandOfCompare(condition);
    case "not":
    case "presence":
    case "fileTest":
      return undefined;
  }
}

function demandOfCompare({
  variable,
  operator,
  patterns,
}: Extract<Condition, { readonly type: "compare" }>): Demand | undefined {
  if (operator === "==" && (variable === "path" || variable === "hostname" || variable === "method")) {
    return patterns.map((value) => ({ key: variable, value }));
  }
  return operator === "^=" && variable === "path" ? patterns.map((value) => ({ key: "prefix", value })) : undefined;
}

/** How many requests a term matches: methods match the most, whole paths the fewest. */
function breadthOf(demand: Demand): number {
  const breadths = { path: 0, prefix: 1, hostname: 2, method: 3 };
  return Math.max(0, ...demand.map(({ key }) => breadths[key]));
}

/** The first number that is at least `from` and less than `limit`, otherwise `limit`. */
function firstFrom(numbers: RuleNumbers | undefined, from: number, limit: number): number {
  if (numbers === undefined) return limit;
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] ?? limit) < from) low = middle + 1;
    else high = middle;
  }
  return Math.min(numbers[low] ?? limit, limit);
}
