// What logs of requests and connections write through: one sink for each file of the process. Several components may
// name one file, and in a reload two generations of one component do: whole lines, one owner, one rotation.

import { SharedPool, type Share } from "@hemi/common";
import { PropError } from "../../component/prop-error.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import { Descriptor } from "../../log/descriptor.ts";
import type { ErrorLog } from "../../log/error-log.ts";
import type { LineFormat } from "../../log/lines/line-writer.ts";
import { LogFile, type Rotation } from "../../log/log-file.ts";
import { StreamSink } from "../../log/stream-sink.ts";
import type { Workers } from "../../stage/workers.ts";
import { standardOutput, type LogFileSettings } from "./file-props.ts";

/** Who writes to a shared sink. */
export interface SinkUser {
  readonly settings: LogFileSettings & { readonly file: string };
  /** Is told of lines that are lost, and of a file that cannot be written. */
  readonly log: ErrorLog;
  /** One of them rotates the file; the others follow it. */
  readonly workers: Workers;
}

/** The sinks of the process, by their files. */
const sinks = new SharedPool<SharedSink>((sink) => sink.close());

/**
 * Joins those who write to the file, or opens it. Rejects with HEMI_FILE if it cannot be opened, and blames `prop`,
 * which holds the settings.
 */
export async function acquireSink(user: SinkUser, prop: string): Promise<Share<SharedSink>> {
  const { value, release } = await sinks
    .acquire(user.settings.file, () => new SharedSink(user))
    .catch((cause: unknown) => {
      if (!(cause instanceof HemiError)) throw cause;
      throw new PropError(prop, cause.code, cause.message, { cause });
    });
  value.join(user);
  return {
    value,
    release() {
      value.leave(user);
      return release();
    },
  };
}

/** Where their settings differ, the user who came last decides: of the rotation, the last one who wants any. */
export class SharedSink {
  readonly #sink: StreamSink;
  /** `undefined`: standard output, which is not rotated. */
  readonly #file: LogFile | undefined;
  readonly #forgetWorkers: () => void;
  #users: readonly SinkUser[];

  constructor(first: SinkUser) {
    const { file, maxBuffer } = first.settings;
    this.#users = [first];
    this.#file = file === standardOutput ? undefined : new LogFile({ title: "access log", path: file });
    this.#sink = new StreamSink({
      destination: this.#file ?? new Descriptor(1),
      maxBuffer,
      gatherTime,
      noteLost: {
        elsewhere: (count) => {
          const { log } = this.#last;
          const message = "lines of the access log were lost because they could not be written, or not fast enough";
          log.warn(message, { file, count });
        },
      },
      noteFailure: (error) => {
        const { log, settings } = this.#last;
        const message = `the access log cannot be written: up to ${settings.maxBuffer} bytes of it wait until it can`;
        log.error(message, { file, error });
      },
    });
    this.#follow();
    this.#forgetWorkers = first.workers.onChange(() => this.#follow());
  }

  /** Takes the line of an entry. Throws what its format throws. */
  write<Entry>(format: LineFormat<Entry>, entry: Entry): void {
    this.#sink.writeEntry(format, entry);
  }

  /** Goes on in a file of the same name: the present one has been moved. */
  reopen(): void {
    this.#sink.reopen();
  }

  join(user: SinkUser): void {
    this.#users = [...this.#users.filter((other) => other !== user), user];
    this.#follow();
  }

  /** The last one to leave stays the one who is told of failures until all is written. */
  leave(user: SinkUser): void {
    if (this.#users.length === 1) return;
    this.#users = this.#users.filter((other) => other !== user);
    this.#follow();
  }

  /** Waits until all lines are written, two seconds at most. */
  close(): Promise<void> {
    this.#forgetWorkers();
    return this.#sink.close();
  }

  get #last(): SinkUser {
    const last = this.#users.at(-1);
    if (last === undefined) throw new TypeError("a shared sink always has a user");
    return last;
  }

  #follow(): void {
    const all = this.#users.map(({ settings }) => settings);
    this.#sink.limit(this.#last.settings.maxBuffer);
    if (this.#file === undefined) return;
    const rotation = all.map(rotationOf).findLast((found) => found !== undefined);
    this.#file.rotation = this.#last.workers.isPrimary ? rotation : undefined;
  }
}

function rotationOf({ maxSize, daily, keep }: LogFileSettings): Rotation | undefined {
  return maxSize === undefined && !daily ? undefined : { maxSize, isDaily: daily, keep };
}

/** In ms. Who follows the file sees a line as soon as that, and a busy server writes many at once. */
const gatherTime = 100;
