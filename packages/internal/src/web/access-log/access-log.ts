// The access log of a webapp: a line for each request, written when its response has ended.

import type { Clock } from "../../fixtures/clock.ts";
import type { Workers } from "../../stage/workers.ts";
import type { ErrorLog } from "../../log/error-log.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import type { LineFormat } from "../../log/lines/line-writer.ts";
import { AccessEntry } from "./access-entry.ts";
import { makeLineFormat } from "./line-format.ts";
import type { AccessLogSettings } from "./props.ts";
import { redactQueriesNamed } from "./redact.ts";
import { samplingOf } from "./sampling.ts";
import { openOutput, type LineOutput } from "../../front/traffic-log/line-output.ts";

/** Where lines go, and how they look. */
interface Target {
  readonly output: LineOutput;
  readonly format: LineFormat<AccessEntry>;
  /** Which requests have a line. `undefined`: all. */
  readonly isSampled: ((entry: AccessEntry) => boolean) | undefined;
}

export class AccessLog {
  /** `undefined`: closed. */
  #target: Target | undefined;
  readonly #clock: Clock;
  readonly #log: ErrorLog;

  private constructor(output: LineOutput, settings: AccessLogSettings, clock: Clock, log: ErrorLog) {
    const format = makeLineFormat(settings.format, redactQueriesNamed(settings.redactQueries));
    this.#target = { output, format, isSampled: samplingOf(settings) };
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Rejects with HEMI_FILE, and blames `accessLog`, if the file cannot be opened. Lines that the disk is too slow or
   * too full for are lost, and counted in the error log.
   */
  static async open(settings: AccessLogSettings, clock: Clock, log: ErrorLog, workers: Workers): Promise<AccessLog> {
    return new AccessLog(await openOutput({ settings, log, workers }, "accessLog"), settings, clock, log);
  }

  /** Writes the line when the response has ended. Call it when the request head is complete. */
  follow(req: Request, resp: Response): AccessEntry {
    return AccessEntry.follow(req, resp, this.#clock, this.write);
  }

  /**
   * Writes the line of a request that is over. Never throws: it is called at the end of an exchan, where nobody could
   * handle it.
   */
  readonly write = (entry: AccessEntry): void => {
    const target = this.#target;
    if (target === undefined || target.isSampled?.(entry) === false) return;
    try {
      target.output.write(target.format, entry, entry.req);
    } catch (error) {
      const { method, originalURI, id } = entry.req;
      this.#log.error(`no line of the access log could be made for ${method} ${originalURI}`, { error, requestId: id });
    }
  };

  /** Continues in a new file of the same name, because the current one has been moved. */
  reopen(): void {
    this.#target?.output.reopen();
  }

  /** Each takes the file and the format of the other one, for requests under way, too. */
  exchange(other: AccessLog): void {
    [this.#target, other.#target] = [other.#target, this.#target];
  }

  /**
   * Where no other access log writes to the file: waits until all lines are written, two seconds at most. Twice is
   * harmless. Requests that end later are not logged.
   */
  async close(): Promise<void> {
    const target = this.#target;
    this.#target = undefined;
    await target?.output.close();
  }
}
