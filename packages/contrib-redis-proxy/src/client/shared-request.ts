// A request on a connection that clients share, until its reply has come: from the node that was asked, or from the one
// that a cluster says it has moved to.
//
//  sent ──> reply ─────────────────────────────────────────> client
//       └─> MOVED, ASK ──> sent to the other node
//             └ of a script: the node is asked for the key alone; only if that moves, too ──> sent to the other node

import { errorReply } from "../replies.ts";
import type { ReplyTaker } from "../node/node-conn.ts";
import { encodeRequest } from "../resp/requests.ts";
import type { ClientChoice } from "../node/shared-conns.ts";
import type { Redirect, Target } from "../routes.ts";
import type { RepliesInOrder, ReplySlot } from "./replies-in-order.ts";

/** What a request needs of its client. */
export interface RequestOwner {
  readonly replies: RepliesInOrder;
  readonly choice: ClientChoice;
  redirected(): void;
  failed(): void;
}

/** Only a cluster tells to ask elsewhere: there, the request is kept until it is answered. */
export interface KeptRequest {
  readonly bytes: Buffer;
  /** Of a script, which may return any error: the key that tells whether it has moved. */
  readonly scriptKey: Buffer | undefined;
}

export class SharedRequest implements ReplyTaker, ReplySlot {
  reply: Buffer | undefined;
  readonly size: number;
  readonly #owner: RequestOwner;
  readonly #kept: KeptRequest | undefined;
  #target: Target;
  #redirects = 0;

  /** `size`: of the request. */
  constructor(owner: RequestOwner, target: Target, size: number, kept: KeptRequest | undefined) {
    this.size = size;
    this.#owner = owner;
    this.#target = target;
    this.#kept = kept;
  }

  send(request: Buffer): void {
    this.#target.conn(this.#owner.choice).send(request, this);
  }

  replied(reply: Buffer): void {
    const redirect = this.#kept === undefined ? undefined : this.#target.redirect(reply);
    if (redirect === undefined || this.#redirects >= maxRedirects) return this.#owner.replies.fill(this, reply);
    const { scriptKey } = this.#kept ?? {};
    if (scriptKey === undefined) this.#follow(redirect);
    else this.#askForKey(scriptKey, Buffer.from(reply));
  }

  broken(reason: string): void {
    this.#owner.failed();
    this.#target.broken();
    const text = this.#target.isCluster ? `CLUSTERDOWN hemi: ${reason}` : `ERR hemi: ${reason}`;
    this.#owner.replies.fill(this, errorReply(text));
  }

  #follow(redirect: Redirect): void {
    if (this.#kept === undefined) return;
    const { isAsking, target } = redirect.follow();
    this.#owner.redirected();
    this.#redirects++;
    this.#target = target;
    // It holds for the next request on the connection, which is ours.
    if (isAsking) target.conn(this.#owner.choice).send(asking, ignored);
    this.send(this.#kept.bytes);
  }

  /** A script that has run must not run again, and its words must not change the map. */
  #askForKey(key: Buffer, original: Buffer): void {
    this.#target.conn(this.#owner.choice).send(encodeRequest(["EXISTS", key]), {
      replied: (reply) => {
        const redirect = this.#target.redirect(reply);
        if (redirect === undefined) this.#owner.replies.fill(this, original);
        else this.#follow(redirect);
      },
      broken: (reason) => this.broken(reason),
    });
  }
}

const asking = encodeRequest(["ASKING"]);
const ignored: ReplyTaker = { replied: () => {}, broken: () => {} };

/** Not a prop: a map that sends requests in circles is wrong. */
const maxRedirects = 5;
