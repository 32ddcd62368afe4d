// A webapp's access log: a line for each request that reached the webapp, when its answer is over.

import type { Clock } from "../../fixtures/clock.ts";
import type { ErrorLog } from "../../log/error-log.ts";
import { StreamSink } from "../../log/stream-sink.ts";
import type { Request } from "../request.ts";
import type { Response } from "../response.ts";
import { combinedDate, formatCombined } from "./combined.ts";

/** The line of one request, which is yet to be written. */
export interface AccessEntry {
  /** Is the line wanted? Whoever has the request just now says so. */
  isWanted: boolean;
}

export class AccessLog {
  readonly #sink: StreamSink;
  readonly #clock: Clock;
  /** The date that was written last, as the clock gives it and as the log wants it. */
  #httpDate = "";
  #date = "";

  /** Throws HEMI_FILE if the file cannot be opened. Lines that the disk is too slow for are dropped, and counted in the error log. */
  constructor(file: string, clock: Clock, log: ErrorLog) {
    this.#clock = clock;
    this.#sink = new StreamSink({
      title: "access log",
      destination: file,
      noteDropped(count) {
        log.warn("lines of the access log were dropped because they could not be written fast enough", { file, count });
        return undefined;
      },
    });
  }

  /** Has the line written when the response is over; its date is that of the request, which is now. */
  follow(req: Request, resp: Response): AccessEntry {
    const entry: AccessEntry = { isWanted: true };
    const date = this.#dateNow();
    resp.onEnd((status, contentSent) => {
      if (entry.isWanted) this.#sink.write(formatCombined(req, { date, status, contentSent }));
    });
    return entry;
  }

  /** Waits until all lines are written, two seconds at most. */
  close(): Promise<void> {
    return this.#sink.close();
  }

  #dateNow(): string {
    const httpDate = this.#clock.date();
    if (httpDate !== this.#httpDate) {
      this.#httpDate = httpDate;
      this.#date = combinedDate(httpDate);
    }
    return this.#date;
  }
}
