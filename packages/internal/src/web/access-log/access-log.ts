// A webapp's access log: a line for each request that reached the webapp, when its answer is over.

import type { Clock } from "../../fixtures/clock.ts";
import { PropError } from "../../component/prop-error.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import { Descriptor } from "../../log/descriptor.ts";
import type { Destination } from "../../log/destination.ts";
import type { ErrorLog } from "../../log/error-log.ts";
import { LogFile } from "../../log/log-file.ts";
import { StreamSink } from "../../log/stream-sink.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { AccessEntry, type LineFormat } from "./access-entry.ts";
import { isASCIIFormat, makeLineFormat } from "./line-format.ts";
import { standardOutput, type AccessLogSettings } from "./props.ts";
import { redactQueriesNamed } from "./redact.ts";

export class AccessLog {
  readonly #sink: StreamSink;
  readonly #clock: Clock;
  readonly #format: LineFormat;
  readonly #log: ErrorLog;

  /** Throws HEMI_FILE, and blames `accessLog`, if the file cannot be opened. Lines that the disk is too slow or too full for are lost, and counted in the error log. */
  constructor(settings: AccessLogSettings, clock: Clock, log: ErrorLog) {
    const { file, format, redactQueries, maxBuffer } = settings;
    this.#clock = clock;
    this.#log = log;
    this.#format = makeLineFormat(format, redactQueriesNamed(redactQueries));
    this.#sink = new StreamSink({
      destination: openDestination(settings, clock),
      maxBuffer,
      gatherTime,
      isASCII: isASCIIFormat(format),
      noteLost: {
        elsewhere(count) {
          log.warn("lines of the access log were lost because they could not be written, or not fast enough", {
            file,
            count,
          });
        },
      },
      noteFailure(error) {
        log.error(`the access log cannot be written: up to ${maxBuffer} bytes of it wait until it can`, {
          file,
          error,
        });
      },
    });
  }

  /** Has the line written when the response is over. The request's head is complete now. */
  follow(req: Request, resp: Response): AccessEntry {
    const entry = new AccessEntry(req, this.#clock, this.#write);
    resp.onHead(entry);
    resp.onEnd(entry.ended);
    return entry;
  }

  /** Called as an exchan ends, with nobody above who could take what a format throws. */
  readonly #write = (entry: AccessEntry): void => {
    try {
      this.#sink.write(this.#format(entry));
    } catch (error) {
      const { method, originalURI, id } = entry.req;
      this.#log.error(`no line of the access log could be made for ${method} ${originalURI}`, { error, requestId: id });
    }
  };

  /** Goes on in a file of the same name: the present one has been moved. */
  reopen(): void {
    this.#sink.reopen();
  }

  /** Waits until all lines are written, two seconds at most. */
  close(): Promise<void> {
    return this.#sink.close();
  }
}

function openDestination({ file, maxSize, daily, keep }: AccessLogSettings, clock: Clock): Destination {
  if (file === standardOutput) return new Descriptor(1);
  try {
    return new LogFile({
      title: "access log",
      path: file,
      rotation: maxSize === undefined && !daily ? undefined : { maxSize, isDaily: daily, keep },
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
    });
  } catch (cause) {
    if (!(cause instanceof HemiError)) throw cause;
    throw new PropError("accessLog", cause.code, cause.message, { cause });
  }
}

/** In ms. Who follows the file sees a line as soon as that, and a busy server writes many at once. */
const gatherTime = 100;
