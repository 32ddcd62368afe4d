// The checker of a leader: a process of its own that loads the user's modules. It is kept for the next check, because a
// reload is often followed by another; not if the check has failed, or if a module has changed. It ends when it is not
// used for a while.

import type { ChildProcess } from "node:child_process";
import { afterRunning } from "@hemi/common";
import { HemiError } from "@hemi/hemi/base";
import { Channel } from "../channel/channel.ts";
import type {
  CandidateReport,
  CheckedConfig,
  CheckerCalls,
  NoCalls,
  RunningConfig,
  ServeOptions,
} from "../channel/calls.ts";
import { startChild, type ChildOptions } from "./child-process.ts";

export class Checker {
  readonly #children: ChildOptions;
  #spare: CheckerProcess | undefined;
  #idle: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(children: ChildOptions) {
    this.#children = children;
  }

  /** Rejects with what is wrong, and with HEMI_PROCESS if the check does not end within `patience` milliseconds. */
  check(options: ServeOptions, running: RunningConfig | undefined, patience: number): Promise<CheckedConfig> {
    return this.#call("check", { options, running }, patience);
  }

  /** The same, where mistakes are a result. `text`: in place of the main file. */
  candidate(params: CheckerCalls["candidate"]["params"], patience: number): Promise<CandidateReport> {
    return this.#call("candidate", params, patience);
  }

  async #call<Name extends "check" | "candidate">(
    name: Name,
    params: CheckerCalls[Name]["params"],
    patience: number,
  ): Promise<CheckerCalls[Name]["result"]> {
    const checker = await this.#take();
    const late = new AbortController();
    const forget = afterRunning(patience, () => {
      late.abort();
      checker.kill();
    });
    try {
      const checked = await checker.channel.call(name, params);
      this.#keep(checker);
      return checked;
    } catch (error) {
      checker.kill();
      // What failed is mended, and tried again soon.
      this.#keep(new CheckerProcess(this.#children));
      if (!late.signal.aborted) throw error;
      throw new HemiError("HEMI_PROCESS", `the configuration was not checked within ${patience} ms`, { cause: error });
    } finally {
      forget();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#endSpare();
  }

  async #take(): Promise<CheckerProcess> {
    clearTimeout(this.#idle);
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare === undefined) return new CheckerProcess(this.#children);
    const isUsable = await spare.isUsable();
    if (isUsable) return spare;
    spare.kill();
    return new CheckerProcess(this.#children);
  }

  #keep(checker: CheckerProcess): void {
    // Two checks may run at once: of a plan, and of a reload.
    if (this.#isClosed || this.#spare !== undefined) return checker.kill();
    this.#spare = checker;
    this.#idle = setTimeout(() => this.#endSpare(), spareTime).unref();
  }

  #endSpare(): void {
    clearTimeout(this.#idle);
    this.#spare?.kill();
    this.#spare = undefined;
  }
}

class CheckerProcess {
  readonly child: ChildProcess;
  readonly channel: Channel<CheckerCalls, NoCalls>;

  constructor(children: ChildOptions) {
    this.child = startChild("checker", children);
    this.channel = new Channel<CheckerCalls, NoCalls>(this.child, {});
    // The call that follows says why it could not be started.
    this.child.on("error", () => {});
  }

  /** False: it has ended, or knows modules that have changed since. */
  async isUsable(): Promise<boolean> {
    const forget = afterRunning(askTime, () => this.kill());
    try {
      return !(await this.channel.call("isOutdated", undefined));
    } catch {
      return false;
    } finally {
      forget();
    }
  }

  kill(): void {
    this.child.kill("SIGKILL");
  }
}

/** In milliseconds. A spare checker costs as much memory as a worker. */
const spareTime = 60_000;
/** How long a spare checker, which may still be starting, has for an answer. In milliseconds. */
const askTime = 10_000;
