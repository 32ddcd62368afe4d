// Adapts a socklet to the interface of handlets, which rules call.

import type { ErrorLog } from "../../log/error-log.ts";
import type { HandletPart, SockletPart } from "../kinds.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { Upgrade } from "../websocket/upgrade.ts";

export class Upgrader implements HandletPart {
  readonly socklet: SockletPart;
  readonly #log: ErrorLog;

  /** `log` carries the path of the socklet. */
  constructor(socklet: SockletPart, log: ErrorLog) {
    this.socklet = socklet;
    this.#log = log;
  }

  handle(req: Request, resp: Response): boolean | Promise<boolean> {
    return this.socklet.handle(new Upgrade(req, resp, this.#log));
  }
}
