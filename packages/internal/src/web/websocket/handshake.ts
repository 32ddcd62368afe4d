// The WebSocket handshake: requirements on the request (RFC 6455 4.2, RFC 8441 5), and the response.

import { threadPoolSize, zlibTurns } from "@hemi/common";
import { HTTPError } from "../http-error.ts";
import type { Request } from "../request/request.ts";
import { listMembers } from "../../http/list-members.ts";
import { acceptFor, isKey } from "../../http/websocket-keys.ts";
import type { Extensions, Frames, PerMessageDeflate } from "./frames.ts";
import type { WebSocketSettings } from "./websocket-props.ts";

export interface WebSocketHandshake {
  /** Response fields: lower-case names and values. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The selected subprotocol, "" for none. */
  readonly subprotocol: string;
  readonly extensions: Extensions;
}

/**
 * Checks the request, and selects the first of `subprotocols` that the client offers. Throws HTTPError: 400 for a
 * malformed handshake or another version, 403 for an origin that is not allowed.
 */
export function shakeHands(
  req: Request,
  { frames, settings, subprotocols }: { frames: Frames; settings: WebSocketSettings; subprotocols: readonly string[] },
): WebSocketHandshake {
  if (req.method !== "GET") throw new HTTPError(400, "a WebSocket is opened by a GET");
  if (req.header("sec-websocket-version") !== "13") {
    throw new HTTPError(400, "the client speaks another version of the WebSocket protocol than 13", {
      fields: { "sec-websocket-version": "13" },
    });
  }
  assertOrigin(req, settings.origins);
  const fields: [string, string][] = [];
  const accept = acceptOf(req);
  if (accept !== undefined) fields.push(["sec-websocket-accept", accept]);
  const subprotocol = chooseSubprotocol(req, subprotocols);
  if (subprotocol !== "") fields.push(["sec-websocket-protocol", subprotocol]);
  const deflate = settings.compression ? acceptDeflate(req, frames, settings) : undefined;
  if (deflate !== undefined) {
    const { extensionName } = frames.PerMessageDeflate;
    const params = deflate.params ?? {};
    fields.push(["sec-websocket-extensions", frames.extension.format({ [extensionName]: [params] })]);
  }
  return { fields, subprotocol, extensions: deflate === undefined ? {} : { "permessage-deflate": deflate } };
}

/**
 * A browser sends the origin of the page, but lets every page connect. Throws HTTPError 403 for pages of other origins.
 * `origins`: those that may; `undefined`: the host of the request. `what`: what they want to open.
 */
export function assertOrigin(req: Request, origins: readonly string[] | undefined, what = "a WebSocket"): void {
  const origin = req.header("origin");
  if (origin === undefined || origins?.includes("*") === true) return;
  const host = URL.parse(origin)?.host;
  const isOwn = host !== undefined && host === URL.parse(`${req.scheme}://${req.authority}`)?.host;
  const isAllowed = origins === undefined ? isOwn : origins.includes(origin);
  if (!isAllowed) throw new HTTPError(403, `pages of ${origin} may not open ${what} here`);
}

/**
 * The response to the client's key; `undefined` without a key, as in HTTP/2, where the stream itself proves the
 * handshake.
 */
export function acceptOf(req: Request): string | undefined {
  if (req.version !== "1.1") return undefined;
  const key = req.header("sec-websocket-key");
  if (key === undefined || !isKey(key)) throw new HTTPError(400, "sec-websocket-key does not stand for 16 bytes");
  return acceptFor(key);
}

function chooseSubprotocol(req: Request, served: readonly string[]): string {
  const offered = new Set(listMembers(req.header("sec-websocket-protocol") ?? ""));
  return served.find((name) => offered.has(name)) ?? "";
}

function acceptDeflate(
  req: Request,
  { PerMessageDeflate, extension }: Frames,
  { maxMessageSize }: WebSocketSettings,
): PerMessageDeflate | undefined {
  const offered = req.header("sec-websocket-extensions");
  if (offered === undefined) return undefined;
  const offers = readExtensions(offered, extension)[PerMessageDeflate.extensionName] ?? [];
  for (const offer of offers.slice(0, maxOffers)) {
    const deflate = new PerMessageDeflate({ isServer: true, maxPayload: maxMessageSize, concurrencyLimit });
    try {
      deflate.accept([offer]);
      takeTurns(deflate);
      return deflate;
    } catch {
      // An unknown offer, or one that cannot be met, is declined; there may be others (RFC 7692 7.1).
      deflate.cleanup();
    }
  }
  return undefined;
}

/** Not a prop: browsers send one or two. */
const maxOffers = 16;
/** Half of the threads: `ws` would take all of them for what does not come from here. */
const concurrencyLimit = Math.max(1, threadPoolSize >> 1);

/** Its messages take their turns with all else that zlib has to do: files are read on the other threads. */
function takeTurns(deflate: PerMessageDeflate): void {
  for (const name of ["compress", "decompress"] as const) {
    const work = deflate[name].bind(deflate);
    deflate[name] = (data, isLast, done) => {
      const turn = () =>
        new Promise<void>((resolve) => {
          work(data, isLast, (error, result) => {
            resolve();
            done(error, result);
          });
        });
      zlibTurns.run(turn).catch(done);
    };
  }
}

function readExtensions(field: string, extension: Frames["extension"]): ReturnType<Frames["extension"]["parse"]> {
  try {
    return extension.parse(field);
  } catch (cause) {
    throw new HTTPError(400, "sec-websocket-extensions is malformed", { cause });
  }
}
