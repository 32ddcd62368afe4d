// What a session needs: what carries its bytes, what its peer may do, and who takes the calls of the peer.

import type { Callee } from "./callee.ts";
import type { ProtocolFault } from "./frames.ts";
import type { MessageCompression } from "./message-coding.ts";
import type { PeerSettings } from "./payloads.ts";
import type { SessionCarrier } from "./session-carrier.ts";

export interface SessionOptions {
  /** A client opens streams with odd numbers, a server with even ones. */
  readonly role: "client" | "server";
  readonly carrier: SessionCarrier;
  /** What the peer may do. `codings` is that of `compression`. */
  readonly settings: Omit<PeerSettings, "codings">;
  readonly compression: MessageCompression;
  /** Takes the calls of the peer. Without it, all are refused. */
  readonly callee?: Callee | undefined;
  /** There are more or fewer streams, or the peer takes no more: somebody may wait for that. */
  readonly changed?: () => void;
  /** The peer has broken a rule. */
  readonly faulty?: (fault: ProtocolFault) => void;
  /** A fault of ours. The session is over. */
  readonly failed: (error: unknown) => void;
}
