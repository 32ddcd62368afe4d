// Tells systemd about the state of the program (sd_notify). Node.js has no datagram sockets of the UNIX domain, so that
// the command `systemd-notify` sends the messages; the unit file needs `NotifyAccess=all`.

import { execFile } from "node:child_process";
import type { ErrorLog } from "@hemi/hemi/base";

export class Notifier {
  readonly #log: ErrorLog;
  readonly #isWanted: boolean;
  readonly #watchdog: NodeJS.Timeout | undefined;
  #hasFailed = false;

  /** `env.NOTIFY_SOCKET`, `env.WATCHDOG_USEC` and `env.WATCHDOG_PID` are set by systemd. */
  constructor(log: ErrorLog, env: Readonly<Record<string, string | undefined>> = process.env) {
    this.#log = log;
    this.#isWanted = env["NOTIFY_SOCKET"] !== undefined;
    const isMeant = (env["WATCHDOG_PID"] ?? String(process.pid)) === String(process.pid);
    const interval = Number(env["WATCHDOG_USEC"] ?? 0) / 1000;
    if (!this.#isWanted || !isMeant || !(interval > 0)) return;
    // Twice in the interval, as systemd advises.
    this.#watchdog = setInterval(() => void this.#notify("WATCHDOG=1"), interval / 2);
    this.#watchdog.unref();
  }

  /** `isMain`: this process leads the program, and systemd sends its signals to it. */
  ready(isMain = true): Promise<void> {
    return this.#notify("READY=1", ...(isMain ? [`MAINPID=${process.pid}`] : []));
  }

  /** Until the next `ready`. The time tells systemd which of the two came later (`Type=notify-reload`). */
  reloading(): Promise<void> {
    return this.#notify("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  stopping(): Promise<void> {
    return this.#notify("STOPPING=1");
  }

  close(): void {
    clearInterval(this.#watchdog);
  }

  /** Never rejects: a program serves, whoever hears of it. The assignments are one message. */
  #notify(...assignments: readonly string[]): Promise<void> {
    if (!this.#isWanted) return Promise.resolve();
    return new Promise((resolve) =>
      execFile("systemd-notify", [...assignments], { timeout: notifyTime }, (error) => {
        if (error !== null && !this.#hasFailed) {
          this.#hasFailed = true;
          this.#log.warn("cannot tell systemd about its state: systemd-notify fails", { error: error.message });
        }
        resolve();
      }),
    );
  }
}

/** In milliseconds. */
const notifyTime = 5000;
