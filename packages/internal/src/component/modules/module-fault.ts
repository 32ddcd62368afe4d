// Why a module cannot be loaded, and where: the same data that Node.js prints for an uncaught error.

import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { placeText } from "../../config/problem-text.ts";
import { missingFile } from "./missing-file.ts";
import { moduleFix } from "./module-fix.ts";

/** Why a module cannot be loaded, and where. */
export interface ModuleFault {
  /** One line, without the file. */
  readonly reason: string;
  /** `file:line:column`, the line of code, and carets below it; `undefined` if unknown. */
  readonly place: string | undefined;
  /** The stack frames outside of the runtime, such as `at run (file:///srv/app.ts:3:9)`. */
  readonly stack: readonly string[];
  /** How to fix it. */
  readonly fix: string | undefined;
}

/** The lines after the message: position and stack. */
export function faultDetails({ place, stack }: ModuleFault): string {
  return [...(place === undefined ? [] : [place]), ...stack.map((frame) => `    ${frame}`)].join("\n");
}

/** `file` is the module to load, `thrown` the value that its import rejected with. Never rejects. */
export async function moduleFault(file: string, thrown: unknown): Promise<ModuleFault> {
  const missing = await missingFile(file);
  if (missing !== undefined) return { reason: missing, place: undefined, stack: [], fix: undefined };
  const message = thrown instanceof Error ? thrown.message : `${String(thrown)} was thrown`;
  const text = thrown instanceof Error && typeof thrown.stack === "string" ? thrown.stack : "";
  const stack = framesOf(text);
  const [reason = ""] = message.split("\n");
  const at = printedPlace(text) ?? (await importPlace(message)) ?? framePlace(stack);
  return { reason, stack, place: at && (await showPlace(at)), fix: await moduleFix(reason, at?.file ?? file) };
}

interface At {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** In UTF-16 code units, from 1. */
  readonly column: number;
  /** In UTF-16 code units. */
  readonly width: number;
}

/**
 * Parses the text before a syntax error's stack: the file with the line number, the line (for TypeScript with some
 * context), carets if present.
 */
function printedPlace(stack: string): At | undefined {
  const [, name, line, carets = ""] =
    /^(file:\/\/\S+|\/.*|[A-Z]:\\.*):(\d+)\n(?:(?:.*\n){1,3}?([ \t]*\^+)[ \t]*(?:\n|$))?/.exec(stack) ?? [];
  if (name === undefined) return undefined;
  const column = Math.max(1, carets.indexOf("^") + 1);
  return { file: pathOf(name), line: Number(line), column, width: Math.max(1, carets.trim().length) };
}

/** The position of the failed import that the message names. */
async function importPlace(message: string): Promise<At | undefined> {
  const [, missing, file] = /['"]([^'"]+)['"].* imported from (.+)$/m.exec(message) ?? [];
  if (missing === undefined || file === undefined) return undefined;
  const importer = pathOf(file);
  const text = await readFile(importer, "utf8").catch(() => "");
  for (const match of text.matchAll(/(["'])([^"'\n]+)\1/g)) {
    const specifier = match[2] ?? "";
    const isMeant = /^\.{0,2}\//.test(specifier)
      ? resolve(dirname(importer), specifier) === pathOf(missing)
      : specifier === missing || specifier.startsWith(`${missing}/`);
    if (isMeant) return placeAt(importer, text, match.index, match[0].length);
  }
  return undefined;
}

function placeAt(file: string, text: string, offset: number, width: number): At {
  const before = text.slice(0, offset).split("\n");
  return { file, line: before.length, column: (before.at(-1) ?? "").length + 1, width };
}

/** Where it was thrown: in the user's code, if the stack contains any. */
function framePlace(frames: readonly string[]): At | undefined {
  const frame = frames.find((frame) => !frame.includes("/node_modules/")) ?? frames[0] ?? "";
  const [, name, line, column] = /\(?((?:file:\/\/|\/|[A-Z]:\\)[^()]*):(\d+):(\d+)\)?$/.exec(frame) ?? [];
  return name === undefined ? undefined : { file: pathOf(name), line: Number(line), column: Number(column), width: 1 };
}

/** The frames without those of the runtime and of our own import code. */
function framesOf(stack: string): readonly string[] {
  const frames = stack.split("\n").map((line) => line.trim());
  const own = frames.findIndex((line) => /^at async (?:loadModule \(|\S*\[eval)/.test(line));
  const theirs = own === -1 ? frames : frames.slice(0, own);
  return theirs.filter((line) => /^at .*:\d+:\d+\)?$/.test(line) && !/\bnode:|\[eval/.test(line)).slice(0, maxFrames);
}

const maxFrames = 10;

async function showPlace({ file, line, column, width }: At): Promise<string> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return `${file}:${line}:${column}`;
  const lines = text.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, { length }) => sum + length + 1, 0) + column - 1;
  return placeText({ source: { name: file, text }, start, end: start + width });
}

function pathOf(name: string): string {
  return name.startsWith("file:") ? fileURLToPath(name) : name;
}
