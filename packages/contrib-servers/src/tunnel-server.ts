// tunnelServer: tunnels for TCP by CONNECT (RFC 9110 9.3.6), and for UDP by an upgrade to connect-udp (RFC 9298), over
// HTTP/1.1.

import {
  type CheckContext,
  connTaker,
  type Context,
  defineServer,
  type PropsOf,
  splice,
  udpsOutgate,
} from "@hemi/internal";
import { checkClientAccess, clientAccessProps, handshakeProps, mayUse, passwordChallenge } from "./client-access.ts";
import { targetInPath } from "./connect-udp-target.ts";
import { ConnServer, connServerProps, type ServedSocket } from "./conn-server.ts";
import { connectUdpProtocol, DatagramTunnel } from "./datagram-tunnel.ts";
import { readRequestHead, type RequestHead } from "./http-request-head.ts";
import { BadInput, SocketReader } from "./socket-reader.ts";
import { datagramTarget, dialTarget, statusOf, type Target } from "./target.ts";

const props = { ...connServerProps, ...clientAccessProps, ...handshakeProps };

type TunnelSettings = PropsOf<typeof props>;

/** Which tunnels a server has. */
interface Tunnels {
  readonly tcp: boolean;
  readonly udp: boolean;
}

function makeServer(context: Context<TunnelSettings>, tunnels: Tunnels): ConnServer {
  const server: ConnServer = new ConnServer(context, (conn) => new TunnelConn(context, server, conn, tunnels).serve());
  return server;
}

function check(context: CheckContext<TunnelSettings>): void {
  ConnServer.check(context);
  checkClientAccess(context);
}

/**
 * Tunnels for TCP (CONNECT) and UDP (connect-udp) over HTTP/1.1. Targets are judged as by `socksServer`. Statuses: 400
 * for what is no such request, 403 for a target that may not be reached, 407 without a right name and password, 502,
 * 503 and 504.
 */
export const tunnelServer = defineServer({
  sign: "tunnelServer",
  props,
  check,
  offers: [connTaker],
  create: (context): ConnServer => makeServer(context, { tcp: true, udp: true }),
});

/** TCP over HTTP: `tunnelServer` with CONNECT only. */
export const tcpohServer = defineServer({
  sign: "tcpohServer",
  props,
  check,
  offers: [connTaker],
  create: (context): ConnServer => makeServer(context, { tcp: true, udp: false }),
});

/** UDP over HTTP: `tunnelServer` with connect-udp only. */
export const udpohServer = defineServer({
  sign: "udpohServer",
  props,
  check,
  offers: [connTaker],
  create: (context): ConnServer => makeServer(context, { tcp: false, udp: true }),
});

class TunnelConn {
  readonly #context: Context<TunnelSettings>;
  readonly #server: ConnServer;
  readonly #conn: ServedSocket;
  readonly #tunnels: Tunnels;
  readonly #reader: SocketReader;

  constructor(context: Context<TunnelSettings>, server: ConnServer, conn: ServedSocket, tunnels: Tunnels) {
    this.#context = context;
    this.#server = server;
    this.#conn = conn;
    this.#tunnels = tunnels;
    this.#reader = new SocketReader(conn.socket);
  }

  async serve(): Promise<void> {
    const { socket } = this.#conn;
    const deadline = this.#server.makeDeadline(() => socket.destroy());
    deadline.set(this.#context.props.handshakeTimeout);
    try {
      await this.#answer(await readRequestHead(this.#reader));
    } catch (error) {
      if (!(error instanceof BadInput)) throw error;
      this.#refuse(400);
    } finally {
      deadline.clear();
    }
  }

  async #answer(head: RequestHead): Promise<void> {
    const { socket } = this.#conn;
    const { props } = this.#context;
    if (!mayUse(props, this.#conn.client.address, head.fields.get("proxy-authorization"))) return this.#refuse(407);
    const isTunnel = head.method === "CONNECT";
    const target = isTunnel ? authorityTarget(head.target) : datagramTargetIn(head);
    if (target === undefined || !(isTunnel ? this.#tunnels.tcp : this.#tunnels.udp)) return this.#refuse(400);
    if (!isTunnel) return await this.#associate(target);
    const there = await dialTarget(this.#context, target);
    if (typeof there === "string") return this.#refuse(statusOf(there));
    if (socket.destroyed) return void there.destroy();
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    const { deadlines } = this.#server;
    const idleTimeout = (): number => this.#context.props.idleTimeout;
    const options = { deadlines, idleTimeout, expired: () => undefined };
    this.#conn.idleTimeoutChanged = splice(this.#reader.releaseTo(there), there, options);
  }

  async #associate(target: Target): Promise<void> {
    const { props, stage } = this.#context;
    const endpoint = await datagramTarget(this.#context, target);
    const { socket, draining } = this.#conn;
    if (socket.destroyed) return;
    if (typeof endpoint === "string") return this.#refuse(statusOf(endpoint));
    const tunnel = DatagramTunnel.open({
      outgate: stage.outgate(udpsOutgate),
      client: this.#conn.client.address,
      target: endpoint,
      idleTimeout: () => props.idleTimeout,
      makeDeadline: this.#server.makeDeadline,
    });
    if (tunnel === undefined || draining.aborted) {
      tunnel?.close();
      return this.#refuse(503);
    }
    draining.addEventListener("abort", () => tunnel.close());
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: connect-udp\r\ncapsule-protocol: ?1\r\n\r\n",
    );
    tunnel.start(this.#reader.release());
    this.#conn.idleTimeoutChanged = () => tunnel.moved();
  }

  #refuse(status: number): void {
    const { socket } = this.#conn;
    const challenge = status === 407 ? `proxy-authenticate: ${passwordChallenge}\r\n` : "";
    socket.end(
      `HTTP/1.1 ${status} ${reasons[status] ?? ""}\r\n${challenge}content-length: 0\r\nconnection: close\r\n\r\n`,
    );
    // What is still to come is read away, so that a reset does not destroy the answer.
    this.#reader
      .release()
      .on("data", () => undefined)
      .resume();
    const linger = this.#server.makeDeadline(() => socket.destroy());
    linger.set(lingerTime);
    socket.once("close", () => linger.clear());
  }
}

/** `host:port` or `[v6]:port`. */
function authorityTarget(target: string): Target | undefined {
  const [, v6, name, port] = /^(?:\[([\da-f:.]+)\]|([\w.-]+)):(\d{1,5})$/i.exec(target) ?? [];
  const host = v6 ?? name;
  return host === undefined || Number(port) > 65535 ? undefined : { host, port: Number(port) };
}

/** `GET /.well-known/masque/udp/HOST/PORT/` with an upgrade to connect-udp (RFC 9298 3.2). */
function datagramTargetIn({ method, target, fields }: RequestHead): Target | undefined {
  const isUpgrade =
    method === "GET" &&
    fields.get("upgrade")?.toLowerCase() === connectUdpProtocol &&
    /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(fields.get("connection") ?? "");
  return isUpgrade ? targetInPath(target.replace(/^https?:\/\/[^/]*/, "")) : undefined;
}

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  407: "Proxy Authentication Required",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** In milliseconds. */
const lingerTime = 2000;
