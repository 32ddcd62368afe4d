// Converts a TypeScript object to specs. For any object it returns specs and problems; it never throws.

import { nearestNames } from "@hemi/common";
import type { ErrorCode } from "../errors/codes.ts";
import { componentPaths } from "./component-paths.ts";
import { maxDepth } from "./cursor.ts";
import { isName } from "./lexer.ts";
import { mark, type ConfigObject } from "./object.ts";
import { parseWhen, type Parsed } from "./parser.ts";
import type { Problem } from "./problem.ts";
import { isQuotable, quote } from "./quote.ts";
import type {
  ComponentSpec,
  ConditionSpec,
  DictEntrySpec,
  PropSpec,
  SpecSource,
  SourceSpan,
  UnreadSpec,
  ValueSpec,
} from "./spec.ts";

/** Reads a whole configuration: an object whose sign is `stage`. `name` identifies it in errors that have no path. */
export function fromObject(object: ConfigObject, name = "<object>"): Parsed {
  const source: SpecSource = { name, text: undefined };
  const reader = new ObjectReader(source);
  const spec = reader.component(object, "", 0);
  if (spec !== undefined && spec.sign !== "stage") {
    reader.report("", "HEMI_CONFIG_SYNTAX", `a configuration begins with the sign "stage", not ${quote(spec.sign)}`);
  }
  if (spec?.name !== undefined) reader.report("", "HEMI_CONFIG_NAME", "a stage has no name");
  return { spec, problems: reader.problems };
}

const componentKeys: readonly string[] = ["sign", "name", "when", "props", "children"];

class ObjectReader {
  readonly problems: Problem[] = [];
  readonly #span: SourceSpan;
  /** The objects that enclose the current one, to find cycles. */
  readonly #owners = new Set<object>();

  constructor(source: SpecSource) {
    this.#span = { source, start: 0, end: 0 };
  }

  report(path: string, code: ErrorCode, message: string, hint?: string): void {
    this.problems.push({ code, message, hint, span: this.#span, path: path === "" ? "stage" : path });
  }

  component(input: unknown, path: string, depth: number): ComponentSpec | undefined {
    if (!isPlainObject(input)) {
      const hint = "a component is { sign, name?, when?, props?, children? }";
      this.report(path, "HEMI_CONFIG_SYNTAX", `${describe(input)} is no component`, hint);
      return undefined;
    }
    return this.#within(input, path, "this component", depth, () => {
      let hasStrangers = false;
      for (const key of Object.keys(input)) {
        if (componentKeys.includes(key)) continue;
        hasStrangers = true;
        const near = nearestNames(key, componentKeys, 1)[0];
        const hint = near === undefined ? `it has ${componentKeys.join(", ")}` : `did you mean ${near}?`;
        this.report(path, "HEMI_CONFIG_SYNTAX", `a component has no ${quote(key)}`, hint);
      }
      const { sign } = input;
      if (typeof sign !== "string" || !isName(sign)) {
        const found = typeof sign === "string" ? quote(sign) : describe(sign);
        this.report(path, "HEMI_CONFIG_SYNTAX", `the sign of a component is a word, not ${found}`);
        return undefined;
      }
      const name = this.#name(input["name"], path);
      const props = this.#props(input["props"], path, depth);
      const children = this.#children(input["children"], path, depth);
      const unread = new Set<"head" | "body">();
      if (hasStrangers || (name === undefined && input["name"] !== undefined)) unread.add("head");
      if (hasStrangers || props === undefined || children?.includes(undefined) !== false) unread.add("body");
      return {
        sign,
        signSpan: this.#span,
        name,
        nameSpan: input["name"] === undefined ? undefined : this.#span,
        condition: this.#condition(input["when"], path),
        props: props ?? [],
        children: children?.filter((child) => child !== undefined) ?? [],
        span: this.#span,
        ...(unread.size > 0 && { unread }),
      };
    });
  }

  #name(input: unknown, path: string): string | undefined {
    if (input === undefined) return undefined;
    if (typeof input === "string" && input !== "" && isQuotable(input)) return input;
    const found = typeof input === "string" ? quote(input) : describe(input);
    this.report(path, "HEMI_CONFIG_NAME", `a name is text without " or without \`, and not empty: not ${found}`);
    return undefined;
  }

  #condition(input: unknown, path: string): ConditionSpec | undefined {
    if (input === undefined) return undefined;
    if (typeof input !== "string") {
      this.report(path, "HEMI_CONFIG_CONDITION", `"when" is the text of a condition, not ${describe(input)}`);
      return this.#unread;
    }
    const problems: Problem[] = [];
    const condition = parseWhen({ name: `${path === "" ? "stage" : path} when`, text: input }, problems);
    for (const problem of problems) this.problems.push({ ...problem, path });
    return condition ?? this.#unread;
  }

  /** `undefined` if they could not be read. */
  #props(input: unknown, path: string, depth: number): PropSpec[] | undefined {
    if (input === undefined) return [];
    if (!isPlainObject(input)) {
      this.report(path, "HEMI_CONFIG_SYNTAX", `"props" is an object, not ${describe(input)}`);
      return undefined;
    }
    const props: PropSpec[] = [];
    for (const [name, given] of Object.entries(input)) {
      if (!isName(name)) {
        const hint = name.startsWith(".") ? "the name stands without its dot" : undefined;
        this.report(path, "HEMI_CONFIG_SYNTAX", `${quote(name)} is no name of a property`, hint);
        continue;
      }
      const value = this.#value(given, path, `.${name}`, depth + 1);
      props.push({ name, nameSpan: this.#span, value, span: this.#span });
    }
    return props;
  }

  /** `undefined` for what could not be read. */
  #children(input: unknown, path: string, depth: number): (ComponentSpec | undefined)[] | undefined {
    if (input === undefined) return [];
    if (!Array.isArray(input)) {
      this.report(path, "HEMI_CONFIG_SYNTAX", `"children" is a list of components, not ${describe(input)}`);
      return undefined;
    }
    const children: readonly unknown[] = input;
    const paths = componentPaths(Array.from(children, identityOf), path);
    return Array.from(children, (child, place) => this.component(child, paths[place] ?? path, depth + 1));
  }

  /** `label` is the position of the value in its component: `.nodes[2]["address"]`. */
  #value(input: unknown, path: string, label: string, depth: number): ValueSpec {
    const span = this.#span;
    if (typeof input === "boolean") return { type: "bool", value: input, span };
    if (typeof input === "string") return { type: "string", value: input, span };
    if (typeof input === "number") {
      if (Number.isSafeInteger(input) && input >= 0) return { type: "integer", value: input + 0, span };
      return this.#badValue(path, `${label} is ${input}`, `numbers are integers from 0 to ${Number.MAX_SAFE_INTEGER}`);
    }
    if (isPlainObject(input) && mark in input) return this.#marked(input, path, label);
    if (!Array.isArray(input) && !isPlainObject(input)) {
      const hint =
        input === undefined ? "leave it out" : "it holds true, false, integers, text, lists and plain objects";
      return this.#badValue(path, `${label} is ${describe(input)}, which no configuration holds`, hint);
    }
    const read = (): ValueSpec =>
      Array.isArray(input) ? this.#list(input, path, label, depth) : this.#dict(input, path, label, depth);
    return this.#within(input, path, label, depth, read) ?? this.#unread;
  }

  #list(input: readonly unknown[], path: string, label: string, depth: number): ValueSpec {
    // `Array.from` visits holes too.
    const items = Array.from(input, (item, place) => this.#value(item, path, `${label}[${place}]`, depth + 1));
    return { type: "list", items, span: this.#span };
  }

  #dict(input: Readonly<Record<string, unknown>>, path: string, label: string, depth: number): ValueSpec {
    const entries: DictEntrySpec[] = [];
    for (const [key, given] of Object.entries(input)) {
      const place = `${label}[${quote(key)}]`;
      if (!isQuotable(key)) this.#badValue(path, `${place} has a key with both sorts of quotes`);
      const value = this.#value(given, path, place, depth + 1);
      entries.push({ key, keySpan: this.#span, value });
    }
    return { type: "dict", entries, span: this.#span };
  }

  #marked(input: Readonly<Record<PropertyKey, unknown>>, path: string, label: string): ValueSpec {
    const span = this.#span;
    const { [mark]: type, name, fallback, parts } = input;
    if (type === "join") {
      const given: readonly unknown[] = Array.isArray(parts) ? parts : [];
      const specs = given.map((part) => {
        if (typeof part === "string" || (isPlainObject(part) && mark in part && part[mark] !== "join")) {
          return this.#value(part, path, label, 0);
        }
        return this.#badValue(
          path,
          `${label} joins ${describe(part)}`,
          "join takes text and what ref, variable, constant and env make",
        );
      });
      const [first = { type: "string", value: "", span } as const] = specs;
      return specs.length < 2 ? first : { type: "concat", parts: specs, span };
    }
    if (typeof name !== "string" || !isName(name)) {
      const found = typeof name === "string" ? quote(name) : describe(name);
      return this.#badValue(path, `${label} names ${found}, which is no name`);
    }
    switch (type) {
      case "ref":
        return { type: "reference", name, span };
      case "variable":
      case "constant":
        return { type, name, span };
      default:
        if (fallback === undefined || (typeof fallback === "string" && isQuotable(fallback))) {
          return { type: "env", variable: name, fallback, span };
        }
        return this.#badValue(
          path,
          `${label}: the default of env is text without " or without \`, not ${describe(fallback)}`,
        );
    }
  }

  #badValue(path: string, message: string, hint?: string): UnreadSpec {
    this.report(path, "HEMI_CONFIG_BAD_VALUE", message, hint);
    return this.#unread;
  }

  get #unread(): UnreadSpec {
    return { type: "unread", span: this.#span };
  }

  /** Runs `read` inside an object, unless it contains itself or is nested too deeply. */
  #within<Result>(object: object, path: string, label: string, depth: number, read: () => Result): Result | undefined {
    if (this.#owners.has(object)) this.#badValue(path, `${label} holds itself`);
    else if (depth > maxDepth) this.#badValue(path, `${label} stands more than ${maxDepth} levels deep`);
    else {
      this.#owners.add(object);
      const result = read();
      this.#owners.delete(object);
      return result;
    }
    return undefined;
  }
}

/** Made by a literal, `JSON.parse` or `Object.create(null)`, in any realm. */
function isPlainObject(input: unknown): input is Readonly<Record<PropertyKey, unknown>> {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return false;
  const prototype: unknown = Object.getPrototypeOf(input);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function identityOf(child: unknown): { sign: string; name: string | undefined } {
  const { sign, name } = isPlainObject(child) ? child : {};
  return {
    sign: typeof sign === "string" ? sign : "?",
    name: typeof name === "string" && name !== "" ? name : undefined,
  };
}

function describe(input: unknown): string {
  if (input === undefined || input === null) return String(input);
  if (Array.isArray(input)) return "a list";
  if (typeof input !== "object") return typeof input === "string" ? "text" : `a ${typeof input}`;
  const { constructor } = input;
  return typeof constructor === "function" && constructor !== Object ? `a ${constructor.name}` : "an object";
}
