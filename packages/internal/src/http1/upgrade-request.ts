// The wish to leave HTTP/1 for another protocol (RFC 9110 7.8), and what a server must answer before it is believed
// that it has left.
//
// Who believes too early is an attacker's tunnel: behind an upgrade that the server refused, anything could be sent to
// it as if it were no HTTP, past all that a proxy forbids.

import { randomBytes } from "node:crypto";
import { acceptFor } from "../http/websocket-keys.ts";
import type { Http1NodeResponseHead } from "./node-response-head.ts";
import { listMembers } from "../http/list-members.ts";

export class UpgradeRequest {
  /** Lines of the request's head. */
  readonly lines: string;
  readonly #protocol: string;
  /** For WebSocket: what only a server of these would make of our key (RFC 6455 4.1). */
  readonly #accept: string | undefined;

  constructor(protocol: string) {
    this.#protocol = protocol;
    let lines = `connection: upgrade\r\nupgrade: ${protocol}\r\n`;
    if (protocol === "websocket") {
      const key = randomBytes(16).toString("base64");
      this.#accept = acceptFor(key);
      lines += `sec-websocket-key: ${key}\r\n`;
    }
    this.lines = lines;
  }

  /** Why a 101 does not grant it; `undefined` if it does. */
  whyNotGranted(head: Http1NodeResponseHead): string | undefined {
    if (!membersOf(head, "connection").includes("upgrade")) return "its 101 lacks connection: upgrade";
    const protocols = membersOf(head, "upgrade");
    if (protocols.length !== 1 || protocols[0] !== this.#protocol) {
      const taken = protocols.length === 0 ? "no protocol" : protocols.join(", ");
      return `it switches to ${taken}, and was asked for ${this.#protocol}`;
    }
    if (this.#accept !== undefined && head.get("sec-websocket-accept") !== this.#accept) {
      return "its sec-websocket-accept does not belong to the key that it was sent";
    }
    return undefined;
  }
}

function membersOf(head: Http1NodeResponseHead, name: string): readonly string[] {
  return listMembers(head.getAll(name).join(",").toLowerCase());
}
