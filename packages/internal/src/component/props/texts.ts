// string, choice, template: text values.

import { didYouMean, didYouMeanVariable } from "../did-you-mean.ts";
import { templateOf as joinParts } from "../template.ts";
import type { Template } from "../template.ts";
import { quote } from "../../config/quote.ts";
import { makeProp, propMaker } from "./prop-type.ts";
import type {
  AlwaysOptions,
  MaybeOptions,
  NeededOptions,
  Prop,
  PropOptions,
  PropReader,
  PropType,
} from "./prop-type.ts";
import type { Value } from "../value.ts";
import type { VariableTable } from "../variables.ts";
import { refuse } from "./refuse.ts";

export interface StringBounds {
  /** In UTF-16 code units, inclusive. Default: 0. */
  readonly minLength?: number;
  /** Inclusive. Default: unlimited. */
  readonly maxLength?: number;
  /** The required pattern, with words for the message, as in `takes a method's name`. */
  readonly pattern?: { readonly expression: RegExp; readonly takes: string };
}

/**
 * Text in either sort of quotes, `"a"` or `` `a` ``. It is raw, so that each sort can contain the other, and it may
 * span lines. `+` joins pieces.
 */
export const string = propMaker<string, string, StringBounds>(stringType);

/** One of several words: `"off"`. In TypeScript, the prop has the type of these words. */
export function choice<const Word extends string>(
  words: readonly Word[],
  options: NeededOptions,
): Prop<Word, Word, true, true>;
export function choice<const Word extends string>(
  words: readonly Word[],
  options: AlwaysOptions<NoInfer<Word>>,
): Prop<Word, Word, true, false>;
export function choice<const Word extends string>(
  words: readonly Word[],
  options?: MaybeOptions,
): Prop<Word, Word, false, false>;
export function choice<const Word extends string>(
  words: readonly Word[],
  options?: PropOptions<Word>,
): Prop<Word, Word> {
  return makeProp(choiceType(words), options);
}

/** Text. If it contains variables, it is evaluated for each request or connection: `"https://" + $hostname + $uri`. */
export const template = propMaker<Template, string>(() => templateType());

/** The type of a template. `own`: the variables that it may contain. Default: those of the component. */
export function templateType(own?: VariableTable<never>): PropType<Template> {
  return {
    name: "template",
    takes: "a text, with or without $variables",
    read(value, label, reader) {
      const variables = own ?? reader.variables;
      warnOfLiterals(value, label, reader, variables);
      if (value.type === "string") return joinParts([value.value]);
      if (value.type !== "template") return refuse(this, value, label, reader);
      let known = true;
      for (const part of value.parts) {
        if (typeof part === "string") continue;
        if (variables?.find(part.variable) !== undefined) {
          const hint = variables.foreign?.(part.variable);
          if (hint !== undefined) reader.warn({ span: part.span, message: foreignMessage(label, part.variable), hint });
          continue;
        }
        known = false;
        reader.report({
          span: part.span,
          message: `${label}: there is no variable $${part.variable} here`,
          hint: didYouMeanVariable(part.variable, variables),
        });
      }
      if (!known) return undefined;
      return joinParts(value.parts.map((part) => (typeof part === "string" ? part : { variable: part.variable })));
    },
    jsonSchema: () => ({ type: "string" }),
  };
}

/** For `$query_string`, which nginx has for the query, and which is the value of the name `string` here. */
function foreignMessage(label: string, variable: string): string {
  return `${label}: $${variable} is not here what it is in nginx`;
}

/**
 * `"https://$hostname$uri"` is sent as it stands: variables are joined by `+`. Who means it writes `"$" + "hostname"`.
 */
function warnOfLiterals(
  value: Value,
  label: string,
  reader: PropReader,
  variables: VariableTable<never> | undefined,
): void {
  if (variables === undefined) return;
  const { source, start, end } = value.span;
  // As written: a text that was joined of several is meant, and one from the environment is not ours to judge.
  const written = source.text?.slice(start, end);
  const texts = value.type === "template" ? value.parts : value.type === "string" ? [value.value] : [];
  for (const text of texts) {
    if (typeof text !== "string" || !text.includes("$")) continue;
    for (const [name, word = ""] of text.matchAll(/\$([a-z]\w*)/gi)) {
      const isVariable = variables.find(word) !== undefined;
      const foreign = variables.foreign?.(word);
      if ((!isVariable && foreign === undefined) || written?.includes(name) === false) continue;
      const wanted = isVariable ? `variables are joined by +, such as "https://" + ${name}` : foreign;
      reader.warn({ span: value.span, message: `${label} holds ${name}, which is sent as it stands`, hint: wanted });
      return;
    }
  }
}

function choiceType<Word extends string>(words: readonly Word[]): PropType<Word> {
  return {
    name: "choice",
    takes: oneOf(words),
    read(value, label, reader) {
      if (value.type !== "string") return refuse(this, value, label, reader);
      const found = words.find((word) => word === value.value);
      return found ?? refuse(this, value, label, reader, didYouMean(value.value, words, quote));
    },
    jsonSchema: () => ({ enum: words }),
  };
}

export function stringType(bounds: StringBounds = {}): PropType<string> {
  const { minLength = 0, maxLength = Infinity, pattern } = bounds;
  return {
    name: "string",
    takes: (pattern?.takes ?? "a string") + lengths(minLength, maxLength),
    read(value, label, reader) {
      const fits =
        value.type === "string" &&
        value.value.length >= minLength &&
        value.value.length <= maxLength &&
        (pattern === undefined || pattern.expression.test(value.value));
      return fits ? value.value : refuse(this, value, label, reader);
    },
    jsonSchema: () => ({
      type: "string",
      // JSON Schema counts the length in code points. A text has at least half as many code points as UTF-16 code
      // units.
      ...(minLength > 0 && { minLength: Math.ceil(minLength / 2) }),
      ...(maxLength < Infinity && { maxLength }),
      ...(pattern !== undefined && { pattern: pattern.expression.source }),
    }),
  };
}

function lengths(minLength: number, maxLength: number): string {
  if (maxLength < Infinity) return ` of ${minLength} to ${maxLength} characters`;
  if (minLength === 1) return " that is not empty";
  return minLength > 1 ? ` of at least ${minLength} characters` : "";
}

/** `"a", "b" or "c"` */
function oneOf(words: readonly string[]): string {
  const quoted = words.map(quote);
  const last = quoted.pop() ?? "nothing";
  return quoted.length === 0 ? last : `${quoted.join(", ")} or ${last}`;
}
