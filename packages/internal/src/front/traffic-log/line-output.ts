// Where the lines of an access log or a connection log go: to a file, or to an addon.

import type { Share } from "@hemi/common";
import type { Reference } from "../../component/reference.ts";
import { lineText, type LineFormat } from "../../log/lines/line-writer.ts";
import type { LogFileSettings } from "./file-props.ts";
import type { LineSink } from "./line-sink.ts";
import { acquireSink, type SharedSink, type SinkUser } from "./shared-sink.ts";

/** The prop that holds the settings of a log. */
export type TrafficLogName = "accessLog" | "connLog";

/** Whose log it is. */
export interface OutputUser extends Pick<SinkUser, "log" | "workers"> {
  readonly settings: LogFileSettings;
}

export interface LineOutput {
  /** Takes the line of an entry, which is about `about`. Throws what its format throws. */
  write<Entry>(format: LineFormat<Entry>, entry: Entry, about?: { readonly traceId: string }): void;
  /** Continues in a new file of the same name, because the current one has been moved. */
  reopen(): void;
  /** Of the last user of a file: waits until all lines are written, two seconds at most. Twice is harmless. */
  close(): Promise<void>;
}

/** Rejects with HEMI_FILE, and blames the prop, if the file cannot be opened. */
export async function openOutput({ settings, log, workers }: OutputUser, prop: TrafficLogName): Promise<LineOutput> {
  const { file, to } = settings;
  if (to !== undefined) return new AddonOutput(to, prop, () => log.path);
  if (file === undefined) throw new TypeError("checkLogFile has let a log pass that goes nowhere");
  return new FileOutput(await acquireSink({ settings: { ...settings, file }, log, workers }, prop));
}

class FileOutput implements LineOutput {
  readonly #share: Share<SharedSink>;

  constructor(share: Share<SharedSink>) {
    this.#share = share;
  }

  write<Entry>(format: LineFormat<Entry>, entry: Entry): void {
    this.#share.value.write(format, entry);
  }

  reopen(): void {
    this.#share.value.reopen();
  }

  close(): Promise<void> {
    return this.#share.release();
  }
}

class AddonOutput implements LineOutput {
  readonly #to: Reference<LineSink>;
  readonly #log: TrafficLogName;
  readonly #path: () => string;

  constructor(to: Reference<LineSink>, log: TrafficLogName, path: () => string) {
    this.#to = to;
    this.#log = log;
    this.#path = path;
  }

  write<Entry>(format: LineFormat<Entry>, entry: Entry, about?: { readonly traceId: string }): void {
    const text = lineText(format, entry).slice(0, -1);
    const traceId = about?.traceId ?? "";
    const path = this.#path();
    this.#to.current.takeLine({ log: this.#log, time: Date.now(), level: "info", path, text, cause: "", traceId });
  }

  reopen(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}
