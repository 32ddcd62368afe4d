// `hemi top`: a live table of what the components of a running program do; `--once` prints one.

import { setTimeout as sleep } from "node:timers/promises";
import { HemiError } from "@hemi/hemi/base";
import type { CommandLine } from "../command-line.ts";
import { callProgram } from "../control/client.ts";
import { programPlace } from "../control/place.ts";
import { exitCodes, type ExitCode } from "../exit-code.ts";
import type { Activity } from "../observe/activity.ts";
import { activityText, type SortKey } from "../observe/activity-text.ts";
import { Samples } from "../observe/samples.ts";

export async function top(line: CommandLine): Promise<ExitCode> {
  const place = programPlace(line);
  const samples = new Samples(() => callProgram(place, "counts", undefined));
  await samples.next();
  if (line.isOnce || line.isJSON) {
    await sleep(line.period);
    const activity = await samples.next();
    process.stdout.write(line.isJSON ? `${JSON.stringify(activity, undefined, 2)}\n` : activityText(activity));
    return exitCodes.fine;
  }
  if (!process.stdout.isTTY || !process.stdin.isTTY) {
    throw new HemiError("HEMI_USAGE", "top needs a terminal; hemi top --once prints one table");
  }
  await new Screen(samples, line.period).run();
  return exitCodes.fine;
}

/** The keys, and what the table is sorted by then. */
const keys: ReadonlyMap<string, SortKey> = new Map([
  ["r", "rate"],
  ["e", "errors"],
  ["l", "p99"],
  ["b", "sent"],
  ["n", "path"],
]);

class Screen {
  readonly #samples: Samples;
  readonly #period: number;
  readonly #ended = new AbortController();
  #sort: SortKey = "rate";
  #activity: Activity | undefined;

  constructor(samples: Samples, period: number) {
    this.#samples = samples;
    this.#period = period;
  }

  /** Until q or Ctrl-C. */
  async run(): Promise<void> {
    const { stdin, stdout } = process;
    const pressed = (data: Buffer): void => this.#pressed(data.toString());
    stdin.setRawMode(true).resume().on("data", pressed);
    // Another screen, so that the terminal is as before at the end.
    stdout.write("\x1b[?1049h\x1b[?25l");
    try {
      for (;;) {
        await sleep(this.#period, undefined, { signal: this.#ended.signal }).catch(() => {});
        if (this.#ended.signal.aborted) return;
        this.#activity = await this.#samples.next();
        this.#draw();
      }
    } finally {
      stdout.write("\x1b[?25h\x1b[?1049l");
      stdin.off("data", pressed).setRawMode(false).pause();
    }
  }

  #pressed(key: string): void {
    if (key === "q" || key === "\x03") return this.#ended.abort();
    this.#sort = keys.get(key) ?? this.#sort;
    this.#draw();
  }

  #draw(): void {
    if (this.#activity === undefined) return;
    const height = (process.stdout.rows || 24) - 2;
    const text = activityText(this.#activity, this.#sort, height).replaceAll("\n", "\x1b[K\r\n");
    const help = "sorted by: r requests, e errors, l latency, b bytes, n name    q ends";
    process.stdout.write(`\x1b[H${text}\x1b[J${help}`);
  }
}
