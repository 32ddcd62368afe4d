// Files for what the processes of a program write to their standard output and standard error. Such a file can be moved
// and opened anew, which the descriptor of a process cannot: the processes write to pipes, and the leader to the files.

import type { Readable } from "node:stream";
import { LogFile, StreamSink, type ErrorLog, type LogSink } from "@hemi/hemi/base";

export interface OutputFiles {
  /** `undefined`: that of the leader. */
  readonly stdout: string | undefined;
  readonly stderr: string | undefined;
}

export class Output {
  readonly #stdout: LogSink | undefined;
  readonly #stderr: LogSink | undefined;

  /** Throws HEMI_FILE if a file cannot be opened. */
  constructor({ stdout, stderr }: OutputFiles, log: ErrorLog) {
    this.#stdout = stdout === undefined ? undefined : openSink(stdout, "file of standard output", log);
    this.#stderr = stderr === undefined ? undefined : openSink(stderr, "file of standard error", log);
  }

  /** How a process is started: descriptors 1 and 2. */
  get stdio(): readonly ["pipe" | "inherit", "pipe" | "inherit"] {
    return [this.#stdout === undefined ? "inherit" : "pipe", this.#stderr === undefined ? "inherit" : "pipe"];
  }

  /** Takes what a process writes that was started so. */
  take(child: { readonly stdout: Readable | null; readonly stderr: Readable | null }): void {
    if (this.#stdout !== undefined && child.stdout !== null) writeLines(child.stdout, this.#stdout);
    if (this.#stderr !== undefined && child.stderr !== null) writeLines(child.stderr, this.#stderr);
  }

  /** Continues in new files of the same names. */
  reopen(): void {
    this.#stdout?.reopen();
    this.#stderr?.reopen();
  }

  async close(): Promise<void> {
    await Promise.all([this.#stdout?.close(), this.#stderr?.close()]);
  }
}

function openSink(path: string, title: string, log: ErrorLog): LogSink {
  return new StreamSink({
    destination: new LogFile({ title, path }),
    noteFailure: (error) => log.error(`cannot write to the ${title}`, { path, error }),
    noteLost: {
      elsewhere: (count) =>
        log.warn(`lines for the ${title} were lost: it is not written fast enough`, { path, count }),
    },
  });
}

/** Lines of several processes are not mixed; a very long one is cut. */
function writeLines(from: Readable, sink: LogSink): void {
  let rest = "";
  from.setEncoding("utf8");
  from.on("error", () => {});
  from.on("data", (text: string) => {
    rest += text;
    const end = rest.lastIndexOf("\n") + 1;
    if (end > 0) sink.write(rest.slice(0, end));
    rest = rest.slice(end);
    if (rest.length > maxLine) writeRest();
  });
  from.on("end", writeRest);

  function writeRest(): void {
    if (rest !== "") sink.write(`${rest}\n`);
    rest = "";
  }
}

/** In characters. */
const maxLine = 65_536;
