// The history of a cronjob: a file of lines, to which each run adds one when it begins and one when it ends.
//
// Lines are appended, so that a crash in between costs at most the last one. A run without its second line has ended
// with its process: so the first line must be there before the run can end the process, and is written at once. It has
// some hundred bytes, and no job runs more than once a second.

import { randomUUID } from "node:crypto";
import { appendFileSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Why a run began: its time had come, had passed while the program did not run, or somebody has ordered it. */
export type RunCause = "schedule" | "missed" | "command";

/**
 * How a run ended. `done`, `failed`; `aborted`: by its timeout, the next run, a lost lock, or the end of the program.
 * `skipped`: the former run was still under way. `elsewhere`: another machine ran it. `died`: the process ended during
 * the run. `running`: it has not ended.
 */
export type RunOutcome = "done" | "failed" | "aborted" | "skipped" | "elsewhere" | "died" | "running";

/** One run. Times are in milliseconds since the epoch. */
export interface RunRecord {
  /** Its time by the schedule; of one that was ordered, when it was. */
  readonly due: number;
  /** Why it began. */
  readonly cause: RunCause;
  /** When it began, which is later than `due` with `jitter`. */
  readonly startedAt: number;
  /** `undefined`: not yet, or nobody knows. */
  readonly endedAt: number | undefined;
  /** How it ended. */
  readonly outcome: RunOutcome;
  /** How often it was tried. */
  readonly attempts: number;
  /** Why it failed or was aborted. */
  readonly error: string | undefined;
  /** The process that ran it. */
  readonly pid: number;
}

/** How a run ended, before it is written. */
export interface RunEnd {
  readonly outcome: Exclude<RunOutcome, "running" | "died">;
  readonly attempts: number;
  readonly error?: string | undefined;
}

interface Line {
  readonly id: string;
  readonly due?: number;
  readonly cause?: RunCause;
  readonly startedAt?: number;
  readonly pid?: number;
  readonly endedAt?: number;
  readonly outcome?: RunEnd["outcome"];
  readonly attempts?: number;
  readonly error?: string | undefined;
}

export interface RunHistoryOptions {
  /** The file, which may be missing. */
  readonly file: string;
  /** How many runs are kept; 0: nothing is written. */
  readonly max: number;
  /** In milliseconds since the epoch. */
  readonly now: () => number;
  /** It could not be written: the runs go on without it. */
  readonly failed: (error: unknown) => void;
}

export class RunHistory {
  readonly #options: RunHistoryOptions;
  /** A crash may have cut the last line that is there: the first one begins a new one. */
  #lineBreak = "\n";
  /** In bytes, of the file when it was written anew last. */
  #compactSize = 0;

  constructor(options: RunHistoryOptions) {
    this.#options = options;
  }

  /** A run begins. Returns the function to call at its end. */
  begin(due: number, cause: RunCause): (end: RunEnd) => RunRecord {
    const { now } = this.#options;
    const started = { id: randomUUID(), due, cause, startedAt: now(), pid: process.pid };
    this.#append(started);
    return ({ outcome, attempts, error }) => {
      const ended = { id: started.id, endedAt: now(), outcome, attempts, error: error?.slice(0, maxError) };
      this.#append(ended);
      return recordOf({ ...started, ...ended });
    };
  }

  /** The runs, latest last; those that have just begun or ended are among them. Never rejects. */
  async read(): Promise<readonly RunRecord[]> {
    if (this.#options.max === 0) return [];
    const text = await readFile(this.#options.file, "utf8").catch(() => "");
    return folded(text).slice(-this.#options.max).map(recordOf);
  }

  #append(line: Line): void {
    const { file, max, failed } = this.#options;
    if (max === 0) return;
    try {
      mkdirSync(dirname(file), { recursive: true });
      appendFileSync(file, `${this.#lineBreak}${JSON.stringify(line)}\n`);
      this.#lineBreak = "";
      this.#compact();
    } catch (error) {
      failed(error);
    }
  }

  /** The file has at most some times the size of the history. Not at each line: what it has may be long. */
  #compact(): void {
    const { file, max } = this.#options;
    if (statSync(file).size < Math.max(max * compactAt, 2 * this.#compactSize)) return;
    const kept = folded(readFileSync(file, "utf8")).slice(-max);
    const text = kept.map((line) => `${JSON.stringify(line)}\n`).join("");
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
    this.#compactSize = Buffer.byteLength(text);
  }
}

/** The lines of each run as one, in the order in which the runs began. */
function folded(text: string): readonly Line[] {
  const runs = new Map<string, Line>();
  for (const written of text.split("\n")) {
    const line = parseLine(written);
    if (line !== undefined) runs.set(line.id, { ...runs.get(line.id), ...line });
  }
  return [...runs.values()].filter(({ due }) => due !== undefined);
}

/** `undefined` for what a crash has left, or somebody else has written. */
function parseLine(text: string): Line | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isLine(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isLine(value: unknown): value is Line {
  if (typeof value !== "object" || value === null || !("id" in value) || typeof value.id !== "string") return false;
  const fields = new Map<string, unknown>(Object.entries(value));
  const areRight = (names: readonly string[], type: string): boolean =>
    names.every((name) => fields.get(name) === undefined || typeof fields.get(name) === type);
  return (
    areRight(["due", "startedAt", "endedAt", "attempts", "pid"], "number") &&
    areRight(["cause", "outcome", "error"], "string")
  );
}

function recordOf({ due = 0, cause = "schedule", startedAt = due, pid = 0, ...end }: Line): RunRecord {
  const { endedAt, attempts = 0, error, outcome = isAlive(pid) ? "running" : "died" } = end;
  return { due, cause, startedAt, endedAt, outcome, attempts, error, pid };
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and belongs to another user.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** In characters. */
const maxError = 1000;
/** In bytes for each run that is kept. */
const compactAt = 1000;
