// What the directives of one page do, one after the other.
//
//   <!--#if expr="$query_user" -->       the blocks that stand open, innermost last:
//     <!--#echo var="query_user" -->       is this one shown; was one of its ways taken; are those around it shown
//   <!--#else -->
//     <!--#include virtual="/login" -->
//   <!--#endif -->

import { compileUri, HTTPError, type Request, type UriValue, uriVariable, webVariables } from "@hemi/internal";
import { escapeMarkup } from "../text-form.ts";
import { type Directive, parseDirective } from "./directive.ts";
import { evaluate, interpolate, type Lookup, stretchesOf } from "./expression.ts";
import { formatTime } from "./time-format.ts";

/** What stands in a directive's place: text, or what a target gives, written as text into markup or as it is. */
export type Outcome = string | { readonly target: string; readonly isEscaped: boolean };

export interface PageSettings {
  /** Stands in the place of what fails, until `config` says otherwise. */
  readonly errorText: string;
  /** In ms. */
  readonly now: number;
  /** As in the field of the answer. */
  readonly lastModified: string | undefined;
}

interface Block {
  isShown: boolean;
  wasTaken: boolean;
  readonly isAroundShown: boolean;
  hasElse: boolean;
}

export class Page {
  readonly #req: Request;
  readonly #lastModified: string | undefined;
  readonly #now: Date;
  readonly #variables = new Map<string, string>();
  readonly #blocks: Block[] = [];
  #errorText: string;
  #timeFormat = "%A, %d-%b-%Y %H:%M:%S %Z";

  constructor(req: Request, { errorText, now, lastModified }: PageSettings) {
    this.#req = req;
    this.#lastModified = lastModified;
    this.#errorText = errorText;
    this.#now = new Date(now);
  }

  /** Is what stands here shown? Not so in the ways of an `if` that are not taken. */
  get isShown(): boolean {
    return this.#blocks.at(-1)?.isShown ?? true;
  }

  /** Stands in the place of what fails. */
  get errorText(): string {
    return this.#errorText;
  }

  /** Does what stands between `<!--#` and `-->`. */
  run(text: string): Outcome {
    const directive = parseDirective(text);
    // Even where nothing is shown, blocks are counted.
    const outcome =
      directive === undefined ? undefined : (this.#block(directive) ?? (this.isShown ? this.#do(directive) : ""));
    return outcome ?? (this.isShown ? this.#errorText : "");
  }

  /**
   * `undefined`: it is none of a block, or a wrong one; the latter is told by the caller, who knows no such directive.
   */
  #block({ name, attributes }: Directive): Outcome | undefined {
    const block = this.#blocks.at(-1);
    switch (name) {
      case "if": {
        if (this.#blocks.length >= maxBlocks) return undefined;
        const isAroundShown = this.isShown;
        const value = isAroundShown ? this.#evaluate(attributes.get("expr")) : false;
        const isShown = value === true;
        this.#blocks.push({ isShown, wasTaken: isShown || value === undefined, isAroundShown, hasElse: false });
        return isAroundShown && value === undefined ? this.#errorText : "";
      }
      case "elif":
      case "else": {
        if (block === undefined || block.hasElse) return undefined;
        const isOpen = block.isAroundShown && !block.wasTaken;
        const value = !isOpen ? false : name === "else" ? true : this.#evaluate(attributes.get("expr"));
        block.isShown = value === true;
        block.wasTaken ||= value !== false;
        block.hasElse = name === "else";
        return isOpen && value === undefined ? this.#errorText : "";
      }
      case "endif":
        return this.#blocks.pop() === undefined ? undefined : "";
      default:
        return undefined;
    }
  }

  #do({ name, attributes }: Directive): Outcome | undefined {
    switch (name) {
      case "echo":
        return this.#echo(attributes);
      case "set": {
        const variable = attributes.get("var");
        const value = attributes.get("value");
        if (variable === undefined || value === undefined || !/^\w+$/.test(variable)) return undefined;
        if (this.#variables.size >= maxVariables && !this.#variables.has(variable)) return undefined;
        const text = interpolate(value, this.#lookup);
        if (text.length > maxValueLength) return undefined;
        this.#variables.set(variable, text);
        return "";
      }
      case "config":
        this.#errorText = attributes.get("errmsg") ?? this.#errorText;
        this.#timeFormat = attributes.get("timefmt") ?? this.#timeFormat;
        return "";
      case "include":
        return this.#include(attributes);
      default:
        return undefined;
    }
  }

  #echo(attributes: Directive["attributes"]): string | undefined {
    const name = attributes.get("var");
    if (name === undefined) return undefined;
    const value = this.#lookup(name);
    if (value === "") return attributes.get("default") ?? "";
    return encodings.get(attributes.get("encoding") ?? "entity")?.(value);
  }

  #include(attributes: Directive["attributes"]): Outcome | undefined {
    const virtual = attributes.get("virtual");
    const file = attributes.get("file");
    const encoding = attributes.get("encoding") ?? "none";
    if ((virtual === undefined) === (file === undefined) || (encoding !== "none" && encoding !== "entity"))
      return undefined;
    const target = this.#targetOf(virtual ?? file ?? "");
    if (target === undefined || (file !== undefined && !isBeside(target))) return undefined;
    return { target, isEscaped: encoding === "entity" };
  }

  /**
   * What a variable has stays within one segment or value, whatever clients send; `undefined` where it would lead to
   * another folder.
   */
  #targetOf(text: string): string | undefined {
    const pieces = stretchesOf(text).map((stretch) =>
      typeof stretch === "string" ? stretch : this.#uriValue(stretch.variable),
    );
    try {
      return compileUri(pieces)(this.#req);
    } catch (error) {
      if (error instanceof HTTPError) return undefined;
      throw error;
    }
  }

  #uriValue(name: string): UriValue<[Request]> {
    const read = (): string => this.#lookup(name);
    if (this.#variables.has(name)) return { read };
    switch (name.toUpperCase()) {
      case "DOCUMENT_URI":
        return uriVariable("path");
      case "QUERY_STRING":
        return { read, nature: "query" };
      default:
        return this.#builtIn(name) === undefined ? uriVariable(name) : { read };
    }
  }

  #evaluate(expression: string | undefined): boolean | undefined {
    return expression === undefined ? undefined : evaluate(expression, this.#lookup);
  }

  readonly #lookup: Lookup = (name) => this.#variables.get(name) ?? this.#builtIn(name) ?? this.#ofRequest(name);

  #builtIn(name: string): string | undefined {
    switch (name.toUpperCase()) {
      case "DATE_GMT":
        return formatTime(this.#now, this.#timeFormat, true);
      case "DATE_LOCAL":
        return formatTime(this.#now, this.#timeFormat, false);
      case "LAST_MODIFIED":
        return this.#lastModified === undefined ? "" : formatTime(new Date(this.#lastModified), this.#timeFormat, true);
      case "DOCUMENT_URI":
        return this.#req.path;
      case "DOCUMENT_NAME":
        return this.#req.path.slice(this.#req.path.lastIndexOf("/") + 1);
      case "QUERY_STRING":
        return this.#req.queryString.slice(1);
      case "REMOTE_ADDR":
        return this.#req.srcHost;
      default:
        return undefined;
    }
  }

  #ofRequest(name: string): string {
    return webVariables.find(name)?.(this.#req) ?? "";
  }
}

/** Beside the page, or below. */
function isBeside(target: string): boolean {
  return !target.startsWith("/") && !/(?:^|\/)(?:\.|%2e){2}(?:\/|$)/i.test(target);
}

const encodings: ReadonlyMap<string, (text: string) => string> = new Map([
  ["none", (text) => text],
  ["entity", escapeMarkup],
  ["url", (text) => encodeURIComponent(text.toWellFormed())],
]);

/** Blocks in blocks. No prop: pages written by people never come near it. */
const maxBlocks = 100;
/** Likewise, of variables that a page sets. */
const maxVariables = 1000;
/** Of one of them, in characters: it may be made of itself twice, again and again. */
const maxValueLength = 10_000;
