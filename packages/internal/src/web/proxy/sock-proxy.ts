// sockProxy: passes WebSockets, and whatever else a client may upgrade to, on to a backend, without looking into them.
//
//   client ── handshake ──> ProxiedExchan ──> a node, by its balancer; another one, if nothing was answered
//   client <── its answer ── 101, checked? ── no: that answer, with its content
//                               │ yes
//   client <═══ bytes ══════════╧═══════════> node

import { Deadlines } from "@hemi/common";
import type { Context } from "../../stage/context.ts";
import { backendKind } from "../../backend/kind.ts";
import { tunnelBackend } from "../../http/web-backend.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import type { Explanation } from "../explain/explanation.ts";
import { HTTPError } from "../http-error.ts";
import { defineSocklet, type SockletPart } from "../kinds.ts";
import { acceptOf } from "../websocket/handshake.ts";
import type { Request } from "../request/request.ts";
import type { Upgrade } from "../websocket/upgrade.ts";
import { ResponseEdits } from "./response-edits.ts";
import { attemptProps } from "./exchange-props.ts";
import { FieldEdits } from "./field-edits.ts";
import { checkRequestProps, PassedRequests, requestProps } from "./passed-requests.ts";
import { ProxiedExchan, type ProxyTraits } from "./proxied-exchan.ts";
import { splice } from "../../net/spliced.ts";

const props = {
  /** The backend that answers. */
  toBackend: prop.reference(backendKind, { offering: tunnelBackend, required: true, inherited: true }),
  ...requestProps,
  ...attemptProps,
  /**
   * What clients may ask for in the field `upgrade`; requests for other protocols go on to the next socklet or handlet.
   */
  protocols: prop.list(
    prop.string({
      pattern: {
        expression: /^[!#$%&'*+.^_`|~0-9a-z-]+(?:\/[!#$%&'*+.^_`|~0-9a-z-]+)?$/,
        takes: "the name of a protocol in lower case",
      },
    }),
    { default: ["websocket"] },
  ),
  /** Without a byte in either direction for so long, both sides are broken off. Pings of WebSocket are bytes. */
  idleTimeout: prop.duration({ default: "60s", min: "1ms", inherited: true, reload: "live" }),
};

type SockProxyProps = PropsOf<typeof props>;

/**
 * Passes WebSockets, and other protocols that it is told of, on to a backend. A node that does not accept answers the
 * client itself. Once one has, bytes go both ways, each side at the pace of the other; when the server drains, that
 * goes on until its deadline. 400: a bad handshake; 502: the node is not to be reached, or claims to accept what was
 * not asked for; 503: none can take more; 504: it is too slow; 508: the request has been here before.
 */
export const sockProxy = defineSocklet({
  sign: "sockProxy",
  props,
  check(context) {
    checkRequestProps(context);
  },
  create: (context): SockletPart => new SockProxy(context),
});

class SockProxy implements SockletPart {
  readonly #context: Context<SockProxyProps>;
  readonly #requests: PassedRequests;
  readonly #traits: ProxyTraits;
  readonly #deadlines = new Deadlines({
    failed: (error) => this.#context.log.error("failed when a deadline expired", { error }),
  });

  constructor(context: Context<SockProxyProps>) {
    this.#context = context;
    const { props, log } = context;
    this.#requests = new PassedRequests(context, ["sec-websocket-key"]);
    this.#traits = {
      log,
      answers: new ResponseEdits({
        edits: new FieldEdits({
          set: props.setResponseHeaders,
          add: props.addResponseHeaders,
          del: props.delResponseHeaders,
        }),
        paths: this.#requests.paths,
        rewritesLocation: true,
        rewritesCookies: !this.#requests.paths.isEmpty || props.hostname !== undefined,
        // It belongs to our key; the client gets one for its own.
        dropped: ["sec-websocket-accept"],
      }),
      retries: {
        maxRetries: props.maxRetries,
        conditions: new Set(props.retryOn),
        statuses: new Set(props.retryStatuses),
        withAnyMethod: false,
      },
      takesAccelRedirect: false,
      bufferedAnswer: 0,
    };
  }

  shutdown(): void {
    this.#deadlines.close();
  }

  handle(upgrade: Upgrade): boolean | Promise<boolean> {
    const { req, resp } = upgrade;
    const protocol = this.#protocolFor(req);
    if (protocol === undefined) return false;
    const accept = protocol === "websocket" ? acceptForClient(req) : undefined;
    // Unless the node accepts, what comes behind the handshake is most likely of the other protocol: it is never read
    // as a request.
    resp.distrustClient();
    this.#requests.refuseUnfit(req);
    const web = this.#context.props.toBackend.current;
    const exchan = new ProxiedExchan(
      this.#traits,
      web,
      this.#requests.make(req, 0),
      this.#requests.wishOf(web, req),
      req,
      resp,
      undefined,
      {
        protocol,
        backend: web,
        switched: (stream) => {
          if (accept !== undefined) resp.setHeader("sec-websocket-accept", accept);
          splice(resp.tunnel(protocol, noop), stream, {
            deadlines: this.#deadlines,
            idleTimeout: () => this.#context.props.idleTimeout,
            expired: () => this.#noteIdle(upgrade),
          });
        },
      },
    );
    return exchan.begin();
  }

  explain(req: Request): Explanation {
    const { protocols } = this.#context.props;
    const protocol = this.#protocolFor(req);
    if (protocol === undefined) {
      return { takes: "no", text: `passes ${protocols.join(", ")} on, not ${req.upgrades.join(", ")}` };
    }
    try {
      if (protocol === "websocket") acceptForClient(req);
    } catch (error) {
      if (error instanceof HTTPError) return { takes: "yes", status: error.status, text: error.message };
      throw error;
    }
    return this.#requests.explain(req);
  }

  #protocolFor({ upgrades }: Request): string | undefined {
    return upgrades.find((name) => this.#context.props.protocols.includes(name));
  }

  #noteIdle({ req }: Upgrade): void {
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
