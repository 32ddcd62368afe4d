// A call of hrpc that has passed the rules of a webapp: what its door needs of its exchan.

import { httpStatusOf, Metadata, type RpcError } from "@hemi/common/rpc";
import type { Request } from "../../web/request/request.ts";
import type { Response } from "../../web/response/response.ts";

/** The wire of the exchan, until the call ends. */
export interface OpenCall {
  readonly isOver: boolean;
  /** In ms, what is left until the deadline of the client; Infinity: there is none. */
  readonly timeLeft: number;
}

export class CallExchan {
  readonly req: Request;
  readonly #wire: OpenCall;
  readonly #resp: Response;

  constructor(wire: OpenCall, req: Request, resp: Response) {
    this.#wire = wire;
    this.req = req;
    this.#resp = resp;
  }

  /** In ms; Infinity: there is no deadline. */
  get timeLeft(): number {
    return this.#wire.timeLeft;
  }

  /** What handlets have set on the response, for the client. */
  get headers(): Metadata {
    return metadataOf(this.#resp.fieldList);
  }

  /** The call has ended: so does the exchan. Never throws. */
  end(error: RpcError | undefined): void {
    if (this.#wire.isOver) return;
    try {
      if (error !== undefined) this.#resp.status = httpStatusOf(error.code);
      this.#resp.send();
    } catch (fault) {
      this.req.noteFault(fault);
      this.#resp.abort();
    }
  }

  /** The call was broken off. */
  abandon(): void {
    this.#resp.abort();
  }
}

/** Fields as metadata, as far as there can be metadata with their names and values. */
export function metadataOf(fieldList: readonly string[]): Metadata {
  const pairs: (readonly [string, string])[] = [];
  for (let i = 0; i < fieldList.length; i += 2) {
    const [name = "", value = ""] = [fieldList[i], fieldList[i + 1]];
    if (/^[0-9a-z_.-]+$/.test(name) && /^[\x20-\x7e]*$/.test(value)) pairs.push([name, value]);
  }
  return Metadata.received(pairs);
}
