// What proxies do with a client that wants to leave HTTP: they pass the wish on, and then the bytes of both directions.
//
//   client ── handshake ──> ProxiedExchan ──> a node, by its balancer; another one, if nothing was answered
//   client <── its answer ── 101, checked? ── no: that answer, with its content
//                               │ yes
//   client <═══ bytes ══════════╧═══════════> node

import { Deadlines, SeatedRoster } from "@hemi/common";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { hasTunnels, type TunnelBackend, type WebBackend } from "../../http/web-backend.ts";
import { splice, type SplicedPair } from "../../net/spliced.ts";
import type { Context } from "../../stage/context.ts";
import type { Explanation } from "../explain/explanation.ts";
import { HTTPError } from "../http-error.ts";
import type { Request } from "../request/request.ts";
import type { Response } from "../response/response.ts";
import { acceptOf } from "../websocket/handshake.ts";
import type { PassedRequests, RequestProps } from "./passed-requests.ts";
import { ProxiedExchan, type ProxyTraits } from "./proxied-exchan.ts";

export const upgradeProps = {
  /**
   * The protocols, in lower case, that clients may switch to (the field `upgrade`, or extended CONNECT in HTTP/2) if
   * the backend accepts. Others are not passed on: what a client sends after an upgrade is not subject to rules. Empty
   * list: none.
   */
  upgrades: prop.list(
    prop.string({
      pattern: {
        expression: /^[!#$%&'*+.^_`|~0-9a-z-]+(?:\/[!#$%&'*+.^_`|~0-9a-z-]+)?$/,
        takes: "the name of a protocol in lower case",
      },
    }),
    { default: ["websocket"], aliases: ["protocols"] },
  ),
  /** An upgraded connection is closed after this time without a byte in either direction. Pings of WebSocket count. */
  idleTimeout: prop.duration({ default: "60s", min: "1ms", inherited: true, reload: "live" }),
};

/**
 * Fields of a handshake that are between the client and this server, and between this server and the node: each pair
 * has keys of its own.
 */
export const handshakeFields = {
  request: ["sec-websocket-key"],
  response: ["sec-websocket-accept"],
} as const;

/** A wish that is passed on. */
export interface PassedUpgrade {
  /** In lower case. */
  readonly protocol: string;
  readonly backend: TunnelBackend;
}

export class PassedUpgrades {
  readonly #context: Context<RequestProps & PropsOf<typeof upgradeProps>>;
  readonly #requests: PassedRequests;
  readonly #traits: ProxyTraits;
  readonly #deadlines = new Deadlines({
    failed: (error) => this.#context.log.error("failed when a deadline expired", { error }),
  });
  readonly #tunnels = new SeatedRoster<SplicedPair>();

  /** `requests` and the answers of `traits` drop `handshakeFields`. */
  constructor(
    context: Context<RequestProps & PropsOf<typeof upgradeProps>>,
    requests: PassedRequests,
    traits: ProxyTraits,
  ) {
    this.#context = context;
    this.#requests = requests;
    this.#traits = traits;
  }

  /** Live props have changed. */
  update(changed: ReadonlySet<string>): void {
    if (changed.has("idleTimeout")) for (const tunnel of this.#tunnels) tunnel.countAnew();
  }

  close(): void {
    this.#deadlines.close();
  }

  /** What of the client's wishes is passed on; `undefined`: nothing, so that the request is as any other. */
  find(web: WebBackend, { upgrades }: Request): PassedUpgrade | undefined {
    if (upgrades.length === 0 || !hasTunnels(web)) return undefined;
    const protocol = upgrades.find((name) => this.#context.props.upgrades.includes(name));
    return protocol === undefined ? undefined : { protocol, backend: web };
  }

  /** A node that does not grant it answers the client itself. Throws HTTPError 400 for a bad handshake. */
  pass({ protocol, backend }: PassedUpgrade, req: Request, resp: Response): boolean | Promise<boolean> {
    const accept = protocol === "websocket" ? acceptForClient(req) : undefined;
    // Unless the node accepts, what comes behind the handshake is most likely of the other protocol: it is never read
    // as a request.
    resp.distrustClient();
    resp.limitHandling(this.#context.props.handleTimeout);
    this.#requests.refuseUnfit(req);
    return new ProxiedExchan(
      this.#traits,
      backend,
      this.#requests.make(req, 0),
      this.#requests.wishOf(backend, req),
      req,
      resp,
      undefined,
      {
        protocol,
        backend,
        switched: (stream) => {
          if (accept !== undefined) resp.setHeader("sec-websocket-accept", accept);
          splice(resp.tunnel(protocol, noop), stream, {
            deadlines: this.#deadlines,
            idleTimeout: () => this.#context.props.idleTimeout,
            expired: () => this.#noteIdle(req),
            among: this.#tunnels,
          });
        },
      },
    ).begin();
  }

  explain({ protocol }: PassedUpgrade, req: Request): Explanation {
    try {
      if (protocol === "websocket") acceptForClient(req);
    } catch (error) {
      if (error instanceof HTTPError) {
        return { takes: "yes", status: error.status, text: error.message, upgrade: protocol };
      }
      throw error;
    }
    return { ...this.#requests.explain(req, `, and to switch to ${protocol}`), upgrade: protocol };
  }

  #noteIdle(req: Request): void {
    const { log, props } = this.#context;
    log.info(`${req.method} ${req.uri}: its tunnel was idle for ${props.idleTimeout} ms`, { requestId: req.id });
  }
}

/** Checks what is between the client and this server, and no matter of the node's. */
function acceptForClient(req: Request): string | undefined {
  if (req.method !== "GET") throw new HTTPError(400, "a WebSocket is opened by a GET");
  return acceptOf(req);
}

/** Tunnels go on while the server drains, until its deadline. */
function noop(): void {}
