// Converts a thrown value to plain data of limited size: name, code, message, stack, causes.

/** One error of a chain. All strings are unescaped: the writer escapes them. */
export interface ErrorReport {
  readonly name: string;
  readonly code: string | undefined;
  readonly message: string;
  /** The frames only, such as `at handle (file.ts:1:2)`. */
  readonly stack: readonly string[];
  readonly cause: ErrorReport | undefined;
  /** Of an `AggregateError`. */
  readonly errors: readonly ErrorReport[];
}

/** Limits of one report: a chain of causes or an aggregate may be endless or cyclic. */
const maxErrors = 16;
const maxFrames = 30;
const maxText = 8192;

/** Never throws, even for a getter that throws, a proxy, or a cycle of causes. */
export function reportError(thrown: unknown): ErrorReport {
  return reportOne(thrown, { left: maxErrors, seen: new Set() }) ?? plain("Error", "");
}

interface Walk {
  left: number;
  readonly seen: Set<unknown>;
}

function reportOne(thrown: unknown, walk: Walk): ErrorReport | undefined {
  if (walk.left === 0 || walk.seen.has(thrown)) return undefined;
  walk.left--;
  try {
    if (!(thrown instanceof Error)) return plain(`thrown ${typeof thrown}`, describeValue(thrown));
    walk.seen.add(thrown);
    const message = clip(thrown.message);
    return {
      name: clip(thrown.name),
      code: "code" in thrown && typeof thrown.code === "string" ? clip(thrown.code) : undefined,
      message,
      stack: framesOf(thrown),
      cause: thrown.cause === undefined ? undefined : reportOne(thrown.cause, walk),
      errors: thrown instanceof AggregateError ? reportAll(thrown.errors, walk) : [],
    };
  } catch {
    return plain("Error", "an error that cannot be read");
  }
}

function reportAll(errors: readonly unknown[], walk: Walk): readonly ErrorReport[] {
  const reports: ErrorReport[] = [];
  for (const error of errors) {
    if (walk.left === 0) break;
    const report = reportOne(error, walk);
    if (report) reports.push(report);
  }
  return reports;
}

/**
 * The stack repeats the message before the frames, and the message may come from a peer: only the text after it is
 * used.
 */
function framesOf(error: Error): readonly string[] {
  const text: unknown = error.stack;
  const message: unknown = error.message;
  if (typeof text !== "string" || typeof message !== "string") return [];
  const at = text.indexOf(message);
  const frames: string[] = [];
  for (const line of text.slice(at < 0 ? 0 : at + message.length).split("\n", 10 * maxFrames)) {
    const frame = line.trim();
    if (frame.startsWith("at ") && frames.push(clip(frame)) === maxFrames) break;
  }
  return frames;
}

/** Formats a value as one short line, for thrown values that are not errors and for fields of a record. */
export function describeValue(value: unknown): string {
  try {
    return clip(typeof value === "object" && value !== null ? JSON.stringify(value) : value);
  } catch {
    return `unreadable ${typeof value}`;
  }
}

function plain(name: string, message: string): ErrorReport {
  return { name, code: undefined, message, stack: [], cause: undefined, errors: [] };
}

/** For errors and values of any origin: a message need not be a string. */
function clip(value: unknown): string {
  const text = String(value);
  return text.length > maxText ? `${text.slice(0, maxText)}… (${text.length - maxText} more characters)` : text;
}
