// Who changed what of the running program: the last changes, and a line of the error log for each.

import type { ErrorLog } from "@hemi/hemi/base";
import { describeError } from "../describe-error.ts";
import { NumberedList, type Numbered } from "./numbered-list.ts";

/** One change, or the attempt. */
export interface AuditEntry {
  /** When it was done, in milliseconds since the epoch. */
  readonly time: number;
  /** `browser 4f2a91 from 127.0.0.1`, `hemi command`. */
  readonly by: string;
  /** The action with its params: `rework {"slot":1}`. */
  readonly what: string;
  /** `undefined`: it was done; otherwise why not. */
  readonly failure: string | undefined;
  /** How long it took, in milliseconds. */
  readonly took: number;
}

/** Actions that change nothing, or are noted by what they start. */
const harmless: ReadonlySet<string> = new Set([
  "pids",
  "leader",
  "workers",
  "version",
  "plan",
  "explain",
  "counts",
  "backends",
  "trace",
  "logs",
  "measure",
  "advise",
  "cacheExplain",
  "cronList",
  "cronPreview",
  "cronHistory",
  "webUI",
]);

export class Audit {
  readonly #log: ErrorLog;
  readonly #entries = new NumberedList<AuditEntry>(maxEntries, Infinity, () => 0);

  constructor(log: ErrorLog) {
    this.#log = log;
  }

  /** Performs an action, and notes it if it changes something. */
  async watch<Result>(by: string, name: string, params: unknown, perform: () => Promise<Result>): Promise<Result> {
    if (isHarmless(name, params)) return await perform();
    const time = Date.now();
    const what = clipped(params === undefined || params === null ? name : `${name} ${JSON.stringify(params)}`);
    const note = (failure: string | undefined): void => {
      this.#entries.add({ time, by, what, failure, took: Date.now() - time });
      this.#log.info("was told to act", { by, what, failure });
    };
    try {
      const result = await perform();
      note(undefined);
      return result;
    } catch (error) {
      note(clipped(describeError(error)));
      throw error;
    }
  }

  after(number: number): readonly Numbered<AuditEntry>[] {
    return this.#entries.after(number);
  }
}

function isHarmless(name: string, params: unknown): boolean {
  if (harmless.has(name)) return true;
  const given: Readonly<Record<string, unknown>> = typeof params === "object" && params !== null ? { ...params } : {};
  // Without a level, `logLevel` tells those in force. A purge that is a dry run only counts.
  return (name === "logLevel" && given["level"] === undefined) || (name === "cachePurge" && given["isDryRun"] === true);
}

function clipped(text: string): string {
  return text.length > maxText ? `${text.slice(0, maxText)}…` : text;
}

const maxEntries = 200;
/** In UTF-16 code units. */
const maxText = 500;
