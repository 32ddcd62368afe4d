// Takes the calls of a peer. Apart from the session: a client whose server makes no calls needs none of it.

import { CalledStream } from "./called-stream.ts";
import { readCall } from "./received-call.ts";
import type { StreamSession } from "./stream.ts";

/** Who serves the calls of a peer. */
export interface CalleeOptions {
  readonly serve: (stream: CalledStream) => void;
  /** Of a message of a call, in bytes, by the path of the procedure. */
  readonly maxMessageSize: (path: string) => number;
}

/** For `callee` of a session. */
export class Callee {
  readonly #options: CalleeOptions;

  constructor(options: CalleeOptions) {
    this.#options = options;
  }

  /** The stream of a CALL frame. Throws ProtocolFault. */
  begin(id: number, session: StreamSession, flags: number, payload: Uint8Array): CalledStream {
    const received = readCall(payload, flags);
    const maxMessageSize = this.#options.maxMessageSize(received.head.path);
    return new CalledStream(id, session, maxMessageSize, received, flags);
  }

  /** While the payload of its CALL is there. */
  serve(stream: CalledStream): void {
    this.#options.serve(stream);
    stream.keepOnly();
  }
}
