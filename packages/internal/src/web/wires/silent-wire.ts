// The wire of a request that is only explained: a head to read, and no response.

import { HemiError } from "../../errors/hemi-error.ts";
import type { Peer } from "../../net/peer.ts";
import type { TlsFacts } from "../../net/tls/tls-facts.ts";
import type { ExchanWire, RequestHead } from "../../http/exchan.ts";
import { noFields } from "../../http/fields.ts";

export class SilentWire implements ExchanWire {
  readonly head: RequestHead;
  readonly peer: Peer;
  readonly tls: TlsFacts | undefined;
  readonly headTime = 0;
  readonly trailers = noFields;

  constructor(head: RequestHead, peer: Peer, tls: TlsFacts | undefined) {
    this.head = head;
    this.peer = peer;
    this.tls = tls;
  }

  readContent = (): never => refuse();
  sendInterim = (): never => refuse();
  sendWhole = (): never => refuse();
  sendHead = (): never => refuse();
  sendContent = (): never => refuse();
  writable = (): never => refuse();
  sendRegion = (): never => refuse();
  endContent = (): never => refuse();
  tunnel = (): never => refuse();

  distrust(): void {
    // Nothing comes after it.
  }

  limitHandling(): void {
    // Nobody waits for it.
  }

  limitContent(): void {
    // Nobody waits for it.
  }

  abort(): void {
    // There is nobody who waits for it.
  }

  dismiss(): void {
    // Nobody works on an answer.
  }

  onAbort(): void {
    // It never ends early.
  }

  countBy(): void {
    // It is not counted.
  }

  onEnd(): void {
    // It is never answered.
  }
}

function refuse(): never {
  throw new HemiError("HEMI_USAGE", "a request that is only explained has no content and no response");
}
