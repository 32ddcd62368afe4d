// connectUdp: tunnels for UDP through a web server (RFC 9298), over each version of HTTP that it speaks.
//
//  HTTP/1.1: GET, upgrade: connect-udp       ─┬─> client, target ──> 101 or 200, then capsules both ways
//  others: CONNECT, :protocol = connect-udp  ─┘       407, 403, 502

import { Deadlines, SeatedRoster } from "@hemi/common";
import {
  type Context,
  defineSocklet,
  type Explanation,
  HTTPError,
  prop,
  type PropsOf,
  type Request,
  type RulePart,
  sendStatusPage,
  type SockletPart,
  udpsOutgate,
  type Upgrade,
  type WebappPart,
} from "@hemi/internal";
import { checkClientAccess, clientAccessProps, mayUse, passwordChallenge } from "./client-access.ts";
import { defaultPathPrefix, targetInPath } from "./connect-udp-target.ts";
import { connectUdpProtocol, DatagramTunnel } from "./datagram-tunnel.ts";
import { datagramTarget, statusOf, type Target } from "./target.ts";

const props = {
  ...clientAccessProps,
  /** What stands before `HOST/PORT/` in the path. Clients without a template of their own use the default. */
  pathPrefix: prop.string({
    default: defaultPathPrefix,
    pattern: { expression: /^\/(?:[\w.~-]+\/)*$/, takes: "a path that begins and ends with a slash" },
    reload: "live",
  }),
  /** Closes a tunnel without a datagram in either direction for this time. */
  idleTimeout: prop.duration({ default: "2m", min: "1ms", reload: "live" }),
  /** Replaces `idleTimeout` while the server drains. */
  drainIdleTimeout: prop.duration({ default: "250ms", min: "1ms", inherited: true, reload: "live" }),
};

type ConnectUdpContext = Context<PropsOf<typeof props>, WebappPart | RulePart>;

/**
 * Opens tunnels for UDP to hosts of the Internet (connect-udp, RFC 9298): over HTTP/1.1 by an upgrade, over HTTP/2 and
 * HTTP/3 by an extended CONNECT. Targets are judged after their names are resolved, as by `tunnelServer`. `udpsOutgate`
 * limits the number of tunnels. Statuses: 400 for a path that names no target, 403 for a target that may not be
 * reached, 407 without a right name and password, 502 for an unknown host, 503 for too many tunnels.
 */
export const connectUdp = defineSocklet({
  sign: "connectUdp",
  props,
  check: (context) => checkClientAccess(context),
  create: (context): SockletPart => new ConnectUdp(context),
});

class ConnectUdp implements SockletPart {
  readonly #context: ConnectUdpContext;
  readonly #deadlines = new Deadlines({
    failed: (error) => this.#context.log.error("failed when a deadline expired", { error }),
  });
  readonly #tunnels = new SeatedRoster<DatagramTunnel>();

  constructor(context: ConnectUdpContext) {
    this.#context = context;
  }

  update(changed: ReadonlySet<string>): void {
    const isOfTunnels = changed.has("idleTimeout") || changed.has("drainIdleTimeout");
    if (isOfTunnels) for (const tunnel of this.#tunnels) tunnel.moved();
  }

  shutdown(): void {
    this.#deadlines.close();
  }

  handle({ req, resp }: Upgrade): boolean | Promise<boolean> {
    if (!req.upgrades.includes(connectUdpProtocol)) return false;
    const { props } = this.#context;
    if (!mayUse(props, req.srcHost, req.header("proxy-authorization"))) {
      sendStatusPage(resp, 407, { "proxy-authenticate": passwordChallenge });
      return true;
    }
    return this.#open(req, resp, this.#targetOf(req));
  }

  explain(req: Request): Explanation {
    if (!req.upgrades.includes(connectUdpProtocol)) return { takes: "no", text: "the client asks for no UDP tunnel" };
    try {
      const { host, port } = this.#targetOf(req);
      const text = `opens a UDP tunnel to ${host}, port ${port}, if the client and the address are allowed`;
      return { takes: "yes", text, upgrade: connectUdpProtocol };
    } catch (error) {
      if (!(error instanceof HTTPError)) throw error;
      return { takes: "yes", status: error.status, text: error.message };
    }
  }

  async #open(req: Request, resp: Upgrade["resp"], target: Target): Promise<boolean> {
    const { signal } = req;
    const endpoint = await datagramTarget(this.#context, target);
    if (signal.aborted) return true;
    if (typeof endpoint === "string") throw new HTTPError(statusOf(endpoint), `its target is not reached: ${endpoint}`);
    let isDraining = false;
    const tunnel = DatagramTunnel.open({
      outgate: this.#context.stage.outgate(udpsOutgate),
      client: req.srcHost,
      target: endpoint,
      idleTimeout: () => {
        const { idleTimeout, drainIdleTimeout } = this.#context.props;
        return isDraining ? Math.min(idleTimeout, drainIdleTimeout) : idleTimeout;
      },
      makeDeadline: (expired) => this.#deadlines.add(expired),
      among: this.#tunnels,
    });
    if (tunnel === undefined) throw new HTTPError(503, "there are too many UDP tunnels: see maxAssociations");
    try {
      resp.setHeader("capsule-protocol", "?1");
      const stream = resp.tunnel(connectUdpProtocol, () => {
        isDraining = true;
        tunnel.moved();
      });
      tunnel.start(stream);
    } catch (error) {
      tunnel.close();
      throw error;
    }
    return true;
  }

  /** Throws an HTTPError for a request that names no target. */
  #targetOf(req: Request): Target {
    if (req.method !== "GET") throw new HTTPError(400, "an upgrade to connect-udp is a GET");
    const { pathPrefix } = this.#context.props;
    const target = targetInPath(req.encodedPath, pathPrefix);
    if (target === undefined) throw new HTTPError(400, `a UDP tunnel is asked for at ${pathPrefix}HOST/PORT/`);
    return target;
  }
}
