// Tells systemd about the state of the program (sd_notify). Node.js has no datagram sockets of the UNIX domain, so that
// the command `systemd-notify` sends the messages; the unit file needs `NotifyAccess=all`.

import { execFile } from "node:child_process";

export class Notifier {
  readonly #isWanted: boolean;
  readonly #watchdog: NodeJS.Timeout | undefined;

  /** `env.NOTIFY_SOCKET` and `env.WATCHDOG_USEC` are set by systemd. */
  constructor(env: Readonly<Record<string, string | undefined>> = process.env) {
    this.#isWanted = env["NOTIFY_SOCKET"] !== undefined;
    const interval = Number(env["WATCHDOG_USEC"] ?? 0) / 1000;
    if (!this.#isWanted || !(interval > 0)) return;
    // Twice in the interval, as systemd advises.
    this.#watchdog = setInterval(() => void this.#notify("WATCHDOG=1"), interval / 2);
    this.#watchdog.unref();
  }

  ready(): Promise<void> {
    return this.#notify("READY=1", `MAINPID=${process.pid}`);
  }

  reloading(): Promise<void> {
    return this.#notify("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  stopping(): Promise<void> {
    return this.#notify("STOPPING=1");
  }

  close(): void {
    clearInterval(this.#watchdog);
  }

  /** Never rejects: a program serves, whoever hears of it. */
  #notify(...assignments: readonly string[]): Promise<void> {
    if (!this.#isWanted) return Promise.resolve();
    return new Promise((resolve) =>
      execFile("systemd-notify", [...assignments], { timeout: notifyTime }, () => resolve()),
    );
  }
}

/** In milliseconds. */
const notifyTime = 5000;
