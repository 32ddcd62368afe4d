// The right side of `.name = value`. On an error, each function reports it and returns `undefined`; the cursor may be
// anywhere then.

import type { Cursor } from "./cursor.ts";
import type { Token } from "./lexer.ts";
import { readNumber } from "./literals.ts";
import { quote } from "./quote.ts";
import type { DictEntrySpec, SourceSpan, UnreadSpec, ValueSpec } from "./spec.ts";

/** A value, including the parts joined by `+`. */
export function parseValue(cursor: Cursor): ValueSpec | undefined {
  const first = parseOperand(cursor);
  if (first === undefined || !cursor.is("+")) return first;
  const parts: ValueSpec[] = [first];
  while (cursor.is("+")) {
    cursor.take();
    const part = parseOperand(cursor);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  const stranger = parts.find(isNotJoinable);
  if (stranger !== undefined) {
    cursor.report(`+ joins text only, not ${articled[stranger.type]}`, {
      hint: stranger.type === "list" || stranger.type === "dict" ? undefined : "in quotes it is text",
      code: "HEMI_CONFIG_BAD_VALUE",
      at: stranger.span,
    });
    return undefined;
  }
  return { type: "concat", parts, span: cursor.span(first.span, cursor.taken) };
}

/** For messages. */
export const articled: Readonly<Record<Exclude<ValueSpec["type"], "unread">, string>> = {
  bool: "true or false",
  integer: "an integer",
  size: "a size",
  duration: "a duration",
  string: "a string",
  list: "a list",
  dict: "a dict",
  constant: "a constant",
  env: "an environment variable",
  reference: "a reference",
  variable: "a variable",
  concat: "joined text",
};

function isNotJoinable(value: ValueSpec): value is Exclude<ValueSpec, UnreadSpec> {
  return !joinable.has(value.type);
}

const joinable: ReadonlySet<ValueSpec["type"]> = new Set([
  "string",
  "constant",
  "env",
  "reference",
  "variable",
  "unread",
] as const);

function parseOperand(cursor: Cursor): ValueSpec | undefined {
  if (cursor.atStatement()) {
    // The sign of a component, or text without quotes before the body: `$method == GET {`.
    const isText = cursor.is("word") && cursor.taken.kind === "operator" && cursor.nextIs("{");
    cursor.expected("a value", isText ? quotedHint(cursor.text(cursor.token)) : undefined);
    return undefined;
  }
  const { token } = cursor;
  const span = cursor.span(token, token);
  switch (token.kind) {
    case "string":
      cursor.take();
      return { type: "string", value: cursor.inner(token), span };
    case "number":
      cursor.take();
      return parseNumber(cursor, token, span);
    case "word":
      return parseWord(cursor, token, span);
    case "property":
      cursor.take();
      return { type: "reference", name: cursor.name(token), span };
    case "variable":
      cursor.take();
      return { type: "variable", name: cursor.name(token), span };
    case "constant":
      cursor.take();
      return cursor.name(token) === "env"
        ? parseEnv(cursor, token)
        : { type: "constant", name: cursor.name(token), span };
    case "(":
      return cursor.nest(() => parseList(cursor));
    case "[":
      return cursor.nest(() => parseDict(cursor));
    case "{":
      cursor.expected(
        "a value",
        cursor.taken.kind === "operator" ? undefined : 'a list is written ("a", "b"), a dict ["a": 1]',
      );
      return undefined;
    default:
      cursor.expected("a value");
      return undefined;
  }
}

function parseNumber(cursor: Cursor, token: Token, span: SourceSpan): ValueSpec | undefined {
  const number = readNumber(cursor.text(token));
  if (number.type !== "bad") return { type: number.type, value: number.value, span };
  cursor.report(number.message, { hint: number.hint, at: token });
  return undefined;
}

function parseWord(cursor: Cursor, token: Token, span: SourceSpan): ValueSpec | undefined {
  const word = cursor.text(token);
  if (word === "true" || word === "false") {
    cursor.take();
    return { type: "bool", value: word === "true", span };
  }
  cursor.expected(
    "a value",
    /^(on|off|yes|no|True|False|TRUE|FALSE)$/.test(word) ? "write true or false" : quotedHint(word),
  );
  cursor.take();
  return undefined;
}

function quotedHint(word: string): string {
  return `text stands in quotes: "${word}"`;
}

/** After `%env`: `(NAME)` or `(NAME, "fallback")`. */
function parseEnv(cursor: Cursor, start: Token): ValueSpec | undefined {
  const form = '%env is written %env(NAME) or %env(NAME, "default")';
  if (!cursor.is("(")) {
    cursor.expected('"("', form);
    return undefined;
  }
  cursor.take();
  const { token } = cursor;
  if (token.kind !== "word") {
    cursor.expected("the name of an environment variable", form);
    return undefined;
  }
  cursor.take();
  let fallback: string | undefined;
  if (cursor.is(",")) {
    cursor.take();
    if (!cursor.is("string")) {
      cursor.expected("a default in quotes", "it is read as the variable would be: in quotes, whatever it holds");
      return undefined;
    }
    fallback = cursor.inner(cursor.take());
  }
  if (!cursor.is(")")) {
    cursor.expected('")"', form);
    return undefined;
  }
  return { type: "env", variable: cursor.text(token), fallback, span: cursor.span(start, cursor.take()) };
}

function parseList(cursor: Cursor): ValueSpec | undefined {
  const open = cursor.take();
  const items: ValueSpec[] = [];
  const close = parseItems(cursor, open, ")", "the list", () => {
    const { token } = cursor;
    const item = parseValue(cursor);
    items.push(item ?? { type: "unread", span: cursor.span(token, token) });
    return item !== undefined;
  });
  return close && { type: "list", items, span: cursor.span(open, close) };
}

function parseDict(cursor: Cursor): ValueSpec | undefined {
  const open = cursor.take();
  const entries: DictEntrySpec[] = [];
  const keys = new Set<string>();
  const close = parseItems(cursor, open, "]", "the dict", () => {
    const span = cursor.span(cursor.token, cursor.token);
    const entry = parseEntry(cursor);
    if (entry === undefined) {
      entries.push({ key: "", keySpan: span, value: { type: "unread", span } });
      return false;
    }
    if (keys.has(entry.key)) {
      cursor.report(`the key ${quote(entry.key)} stands twice in this dict`, {
        code: "HEMI_CONFIG_BAD_VALUE",
        at: entry.keySpan,
      });
    }
    keys.add(entry.key);
    entries.push(entry);
    return true;
  });
  return close && { type: "dict", entries, span: cursor.span(open, close) };
}

function parseEntry(cursor: Cursor): DictEntrySpec | undefined {
  const form = 'a dict is written ["key": value]';
  const { token } = cursor;
  if (token.kind !== "string") {
    cursor.expected("a key in quotes", form);
    return undefined;
  }
  cursor.take();
  if (cursor.is(":")) cursor.take();
  else {
    cursor.expected('":"', form);
    if (!cursor.is("=")) return undefined;
    cursor.take();
  }
  const value = parseValue(cursor);
  return value && { key: cursor.inner(token), keySpan: cursor.span(token, token), value };
}

/**
 * Items separated by commas, with an optional trailing comma, up to `closer`. Returns the closer, unless an unexpected
 * token stops it.
 */
function parseItems(
  cursor: Cursor,
  open: Token,
  closer: ")" | "]",
  what: string,
  parseItem: () => boolean,
): Token | undefined {
  let isSound = true;
  for (;;) {
    if (cursor.is(closer)) {
      const close = cursor.take();
      return isSound ? close : undefined;
    }
    if (cursor.atStatement() || cursor.is("{")) {
      if (!cursor.endsBroken || !cursor.is("end")) cursor.report(`${what} lacks its closing ${closer}`, { at: open });
      return undefined;
    }
    if (!parseItem()) cursor.skipToComma();
    if (cursor.is(",")) cursor.take();
    else if (startsValue.has(cursor.token.kind) && !cursor.atStatement()) {
      cursor.report(`a comma is missing before ${cursor.describe(cursor.token)}`);
    } else if (!cursor.is(closer) && !cursor.atStatement() && !cursor.is("{")) {
      isSound = false;
      cursor.expected(`"," or "${closer}"`, cursor.is(":") ? 'a dict is written ["key": value]' : undefined);
      const { token } = cursor;
      cursor.skipToComma();
      if (cursor.token === token || cursor.is(",")) cursor.take();
    }
  }
}

const startsValue: ReadonlySet<Token["kind"]> = new Set([
  "string",
  "number",
  "word",
  "property",
  "variable",
  "constant",
  "(",
  "[",
] as const);
