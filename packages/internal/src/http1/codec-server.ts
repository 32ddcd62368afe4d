// What an HTTP/1 connection needs of its server beyond what those of all versions do.

import type { Socket } from "node:net";
import type { GateConn } from "../front/gate.ts";
import type { CodecServer, CodecSettings } from "../http/codec-server.ts";
import type { MessageLimits } from "./message-content.ts";
import type { WholeResponses } from "./whole-responses.ts";

/** All sizes in bytes. */
export interface Http1Settings extends CodecSettings, MessageLimits {
  /** Of input that comes while a request is served and that nobody asks for; then the socket is paused. */
  readonly maxBufferedInput: number;
}

export interface Http1CodecServer extends CodecServer {
  readonly settings: Http1Settings;
  /** `date: …` with its line end. */
  readonly dateLine: string;
  readonly wholeResponses: WholeResponses;
  /**
   * Is what a client begins with, and is no HTTP/1, a protocol that is served by someone else here? "perhaps": it takes
   * more of it to tell.
   */
  speaksOther(bytes: Buffer): boolean | "perhaps";
  /**
   * Lets someone else serve that client, whose socket is paused, all its bytes in it; the connection has done its part.
   */
  handOver(conn: GateConn, socket: Socket): void;
}
