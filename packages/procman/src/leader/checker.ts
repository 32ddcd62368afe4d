// The checker of a leader: a process of its own that loads the user's modules, for each check another one. The next one
// is started in advance after a check, because a reload is often followed by another, and it ends when it is not used.

import type { ChildProcess } from "node:child_process";
import { HemiError } from "@hemi/hemi/base";
import { Channel } from "../channel/channel.ts";
import type { CheckedConfig, CheckerCalls, NoCalls, RunningConfig, ServeOptions } from "../channel/calls.ts";
import { startChild, type ChildOptions } from "./child-process.ts";

export class Checker {
  readonly #children: ChildOptions;
  #spare: ChildProcess | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(children: ChildOptions) {
    this.#children = children;
  }

  /** Rejects with what is wrong, and with HEMI_PROCESS if the check does not end within `patience` milliseconds. */
  async check(options: ServeOptions, running: RunningConfig | undefined, patience: number): Promise<CheckedConfig> {
    const child = this.#take();
    const channel = new Channel<CheckerCalls, NoCalls>(child, {});
    const timer = setTimeout(() => child.kill("SIGKILL"), patience);
    try {
      return await channel.call("check", { options, running });
    } catch (error) {
      if (child.signalCode !== "SIGKILL") throw error;
      throw new HemiError("HEMI_PROCESS", `the configuration was not checked within ${patience} ms`, { cause: error });
    } finally {
      clearTimeout(timer);
      child.kill("SIGKILL");
      this.#keepSpare();
    }
  }

  close(): void {
    clearTimeout(this.#idle);
    this.#spare?.kill("SIGKILL");
    this.#spare = undefined;
    this.#isClosed = true;
  }

  #isClosed = false;

  #take(): ChildProcess {
    const child = this.#spare ?? startChild("checker", this.#children);
    this.#spare = undefined;
    clearTimeout(this.#idle);
    child.ref();
    return child;
  }

  #keepSpare(): void {
    if (this.#isClosed) return;
    const spare = startChild("checker", this.#children);
    spare.once("exit", () => {
      if (this.#spare === spare) this.#spare = undefined;
    });
    // Without it, the next check starts one, and reports why that fails.
    spare.on("error", () => {});
    this.#spare = spare;
    this.#idle = setTimeout(() => {
      this.#spare?.kill("SIGKILL");
      this.#spare = undefined;
    }, spareTime);
    this.#idle.unref();
  }
}

/** In milliseconds. A spare checker costs as much memory as a worker. */
const spareTime = 60_000;
