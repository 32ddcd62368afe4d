// forwardProxy: connects clients to Internet hosts, with requests in absolute form and tunnels (CONNECT).
//
//  GET http://a.example/x ─┐  host, port   ┌─ namer ──> addresses ── checked ──> http1Outgate.backend ──> response
//  CONNECT a.example:443 ──┴───────────────┘                │                    http1Outgate.dial ─────> bytes both ways
//                                                           └── special, not allowed: 403
//
// The dialled address is the one that was checked, so a name that resolves differently a moment later cannot bypass the
// check.

import { Deadlines, SeatedRoster } from "@hemi/common";
import type { BackendRequest } from "../../http/web-backend.ts";
import { BackendFailure } from "../../backend/failure.ts";
import type { Context } from "../../stage/context.ts";
import type { Explanation } from "../../web/explain/explanation.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import { http1Outgate, type Http1Outgate } from "./http1-outgate.ts";
import { connectionFields, FieldNames } from "../../http/field-names.ts";
import { HTTPError } from "../../web/http-error.ts";
import { webapp } from "../../web/dispatch/webapp.ts";
import { defineHandlet, type HandletPart, type RulePart, type WebappPart } from "../../web/kinds.ts";
import { ResponseEdits } from "../../web/proxy/response-edits.ts";
import { retryRulesOf } from "../../web/proxy/retries.ts";
import { FieldEdits } from "../../web/proxy/field-edits.ts";
import { claimFields, ForwardedFields } from "../../web/proxy/forwarded.ts";
import { PathEdits } from "../../web/proxy/path-edits.ts";
import { ProxiedExchan, type ProxyTraits } from "../../web/proxy/proxied-exchan.ts";
import { splice, type SplicedPair } from "../../net/spliced.ts";
import type { Request } from "../../web/request/request.ts";
import type { Response } from "../../web/response/response.ts";
import { judgeHost } from "../../net/allowed-addresses.ts";

const props = {
  /** Ports that are allowed for plain HTTP. Others give 403. */
  httpPorts: prop.list(prop.integer({ min: 1, max: 65535 }), { default: [80], reload: "live" }),
  /** Ports that are allowed for tunnels. Others give 403. */
  connectPorts: prop.list(prop.integer({ min: 1, max: 65535 }), { default: [443], reload: "live" }),
  /**
   * Addresses that are allowed although they are private, loopback, link-local, multicast or otherwise special. Clients
   * of this proxy get the same access to them as this machine. A host that has only other special addresses gives 403.
   */
  allowAddresses: prop.addresses({ default: [], reload: "live" }),
  /** Closes a tunnel without data in either direction for this time. */
  tunnelIdleTimeout: prop.duration({ default: "5m", min: "1ms", reload: "live" }),
  /** Replaces `tunnelIdleTimeout` while the server drains. */
  tunnelDrainTimeout: prop.duration({ default: "1s", min: "1ms", reload: "live" }),
};

/**
 * A forward proxy: clients send it requests for any host. Its webapp needs `*` among its hostnames. Access control is
 * the task of handlets before it. Statuses: 400 for a request not meant for a proxy; 403 for a port or address that is
 * not allowed; 502 for a host that does not exist or is unreachable; 503 and 504 as for `http1Outgate`; 508 for a loop.
 * Servers receive no information about the client.
 */
export const forwardProxy = defineHandlet({
  sign: "forwardProxy",
  props,
  takesAll: () => true,
  check(context) {
    const site = context.enclosing(webapp);
    if (site === undefined || site.props.hostnames.includes("*")) return;
    const message = `it is asked for any host, but its webapp serves ${site.props.hostnames.join(", ")} only`;
    context.report({ message, hint: `give ${site.path} the hostname "*"` });
  },
  create: (context): HandletPart => new ForwardProxy(context),
});

type ForwardContext = Context<PropsOf<typeof props>, WebappPart | RulePart>;

class ForwardProxy implements HandletPart {
  readonly opensTunnels = true;
  readonly defaultMaxContentSize = Infinity;
  readonly #context: ForwardContext;
  readonly #forwarded = new ForwardedFields({ form: "none" });
  readonly #traits: ProxyTraits;
  readonly #deadlines = new Deadlines({
    failed: (error) => this.#context.log.error("failed when a deadline expired", { error }),
  });
  readonly #tunnels = new SeatedRoster<SplicedPair>();

  constructor(context: ForwardContext) {
    this.#context = context;
    const edits = new FieldEdits({ set: new Map(), add: new Map(), del: [] });
    this.#traits = {
      log: context.log,
      answers: new ResponseEdits({
        edits,
        paths: new PathEdits("", ""),
        rewritesLocation: false,
        rewritesCookies: false,
      }),
      retries: retryRulesOf({ maxRetries: 2, retryInterval: 0, retryOn: ["dial", "stale"], retryStatuses: [] }, false),
      takesAccelRedirect: false,
      bufferedAnswer: 0,
    };
  }

  update(changed: ReadonlySet<string>): void {
    const isOfTunnels = changed.has("tunnelIdleTimeout") || changed.has("tunnelDrainTimeout");
    if (isOfTunnels) for (const tunnel of this.#tunnels) tunnel.countAnew();
  }

  shutdown(): void {
    this.#deadlines.close();
  }

  handle(req: Request, resp: Response): Promise<boolean> {
    return req.method === "CONNECT" ? this.#tunnel(req, resp) : this.#pass(req, resp);
  }

  explain(req: Request): Explanation {
    try {
      this.#portAskedFor(req);
    } catch (error) {
      if (!(error instanceof HTTPError)) throw error;
      return { takes: "yes", status: error.status, text: error.message };
    }
    const what = req.method === "CONNECT" ? `opens a tunnel to ${req.authority}` : `asks ${req.authority}`;
    return { takes: "yes", text: `${what}, if its address may be reached` };
  }

  get #outgate(): Http1Outgate {
    return this.#context.stage.outgate(http1Outgate);
  }

  async #pass(req: Request, resp: Response): Promise<boolean> {
    const port = this.#portAskedFor(req);
    const ips = await this.#addressesOf(req.hostname);
    const added: string[] = [];
    this.#forwarded.addTo(added, req);
    const request: BackendRequest = {
      method: req.method,
      scheme: "http",
      authority: req.authority,
      target: req.uri,
      received: req.headers,
      dropped,
      added,
      contentSize: req.hasContent ? req.content.passedSize : 0,
    };
    const wish = { key: "", stickTo: "", tried: [] };
    return new ProxiedExchan(
      this.#traits,
      this.#outgate.backend(ips, port),
      request,
      wish,
      req,
      resp,
      undefined,
    ).begin();
  }

  async #tunnel(req: Request, resp: Response): Promise<boolean> {
    const port = this.#portAskedFor(req);
    const ips = await this.#addressesOf(req.hostname);
    const { signal } = req;
    const there = await this.#outgate.dial(ips, port).catch((error: unknown) => {
      if (!(error instanceof BackendFailure)) throw error;
      this.#context.log.info(`CONNECT ${req.authority}: ${error.message}`, { requestId: req.id });
      throw new HTTPError(error.status, error.message);
    });
    if (signal.aborted) {
      there.destroy();
      return true;
    }
    let isDraining = false;
    try {
      const here = resp.tunnel(undefined, () => {
        isDraining = true;
        countAnew();
      });
      const countAnew = splice(here, there, {
        deadlines: this.#deadlines,
        among: this.#tunnels,
        expired: () =>
          this.#context.log.info(`the tunnel to ${req.authority} was idle for too long`, { requestId: req.id }),
        idleTimeout: () => {
          const { tunnelIdleTimeout, tunnelDrainTimeout } = this.#context.props;
          return isDraining ? Math.min(tunnelDrainTimeout, tunnelIdleTimeout) : tunnelIdleTimeout;
        },
      });
    } catch (error) {
      there.destroy();
      throw error;
    }
    return true;
  }

  /** Throws an HTTPError for a request that is not meant for a proxy, or for a port that is not allowed. */
  #portAskedFor(req: Request): number {
    const { httpPorts, connectPorts } = this.#context.props;
    const isTunnel = req.method === "CONNECT";
    // Characters that a URI may contain, but DNS may not: in particular percent-encoding, which could hide a name.
    if (!/^(?:[\w.-]+|\[.*\])$/.test(req.hostname))
      throw new HTTPError(400, "the host is no name that can be looked up");
    if (isTunnel) {
      if (req.colonPort.length < 2) throw new HTTPError(400, "a tunnel leads to a port: CONNECT host:443");
      if (req.hasContent) throw new HTTPError(400, "a tunnel is asked for without content");
    } else {
      if (!req.isForProxy) throw new HTTPError(400, "the request is not in the form for proxies: GET http://host/path");
      if (req.targetScheme !== "http")
        throw new HTTPError(400, "by TLS a host is reached through a tunnel: CONNECT host:443");
      if (this.#forwarded.isLoop(req)) throw new HTTPError(508, "the request has been here before: see its field via");
    }
    const port = req.colonPort.length > 1 ? Number(req.colonPort.slice(1)) : 80;
    const ports = isTunnel ? connectPorts : httpPorts;
    if (!ports.includes(port)) throw new HTTPError(403, `port ${port} is not among those that may be asked for`);
    return port;
  }

  /** Throws an HTTPError for a host that is not allowed or does not exist. */
  async #addressesOf(hostname: string): Promise<readonly string[]> {
    const { props, stage } = this.#context;
    const { ips, refusal } = await judgeHost(hostname, stage.namer, props.allowAddresses).catch((cause: unknown) => {
      if (!(cause instanceof HemiError)) throw cause;
      throw new HTTPError(502, cause.message);
    });
    if (refusal !== undefined) throw new HTTPError(403, refusal);
    return ips;
  }
}

/** Request fields between the client and this proxy, or that a server would misinterpret. */
const dropped = new FieldNames([
  ...connectionFields,
  ...claimFields,
  "host",
  "via",
  "expect",
  "proxy-authorization",
  // CGI scripts would use it as their proxy setting (CVE-2016-5385).
  "proxy",
]);
