// The calls of a peer. Apart from the session: a client whose server makes no calls needs none of it.

import { CalledStream, type CallBudget } from "./called-stream.ts";
import { goAwayCodes, ProtocolFault } from "./frames.ts";
import { readCall } from "./received-call.ts";
import { StreamTable } from "./stream-table.ts";
import type { StreamSession } from "./stream.ts";

/** Who serves the calls of a peer. */
export interface CalleeOptions {
  readonly serve: (stream: CalledStream) => void;
  /** Of a message of a call, in bytes, by the path of the procedure. */
  readonly maxMessageSize: (path: string) => number;
  /** Default: there is no limit, as for a client that trusts its server. */
  readonly flood?: FloodLimit;
}

/** A budget for frames that bring nothing. */
export interface FloodLimit {
  /** False: there were too many. */
  spend(amount: number): boolean;
  earn(amount: number): void;
}

/** For `callee` of one session. */
export class Callee implements CallBudget {
  /** The calls that are open. */
  readonly streams = new StreamTable<CalledStream>();
  readonly #options: CalleeOptions;

  constructor(options: CalleeOptions) {
    this.#options = options;
  }

  /** Takes the call of a CALL frame, while its payload is there. Throws ProtocolFault. */
  take(id: number, session: StreamSession, flags: number, payload: Uint8Array): void {
    const { serve, maxMessageSize } = this.#options;
    const received = readCall(payload, flags);
    const stream = new CalledStream(id, session, this, maxMessageSize(received.head.path), received, flags);
    this.streams.add(stream);
    serve(stream);
    stream.keepOnly();
  }

  earned(): void {
    this.#options.flood?.earn(1);
  }

  spend(): void {
    if (this.#options.flood?.spend(1) !== false) return;
    throw new ProtocolFault("too many frames bring nothing", goAwayCodes.flood);
  }
}
