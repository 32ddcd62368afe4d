// hrpcTransport: calls a server by hrpc from any Node.js program, without a stage.

import { connect, isIP, type OnReadOpts } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { Deadlines } from "@hemi/common";
import { callOnceOver, callOver, protocolName, type Transport } from "@hemi/common/rpc";
import type { Dialled } from "../../backend/dial.ts";
import { parseAddress, type Address } from "../../component/props/addresses.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import type { ErrorLog } from "../../log/error-log.ts";
import type { CallHost } from "../call-run.ts";
import type { ServedBundlet } from "../served-bundlet.ts";
import { HrpcPool } from "./hrpc-pool.ts";
import { unknownIdentity } from "../identity.ts";
import { serveStream } from "./serve-stream.ts";
import { sessionCompression } from "./session-compression.ts";

/** How a server is called. */
export interface HrpcOptions {
  /** Of TLS, for `hrpcs:`. Default: the server's certificate is checked against the authorities of Node.js. */
  readonly tls?: ConnectionOptions;
  /** Of a message, in bytes. Default: 4 MiB. */
  readonly maxMessageSize?: number;
  /** Until a connection stands, in ms. Default: 5000. */
  readonly dialTimeout?: number;
  /** How long a connection without calls is kept, in ms. Default: 60,000. */
  readonly idleTimeout?: number;
  /** Whether messages are compressed for servers that take it. Default: true. */
  readonly compress?: boolean;
  /** Bundlets that the server may call, each made by `implement`. Default: none. Needs `log`. */
  readonly serves?: readonly ServedBundlet[];
  /** Reports what the procedures of `serves` throw, and faults of ours. Default: nowhere. */
  readonly log?: ErrorLog;
}

/** A way to a server, with connections that are made when they are needed. */
export interface HrpcTransport extends Transport, AsyncDisposable {
  /** Ends its calls and its connections. */
  close(): void;
}

/**
 * The way to a server of hrpc: `hrpc://127.0.0.1:3080`, `hrpcs://shop.example:443` (TLS), or `hrpc:/run/shop.sock`, a
 * UNIX socket. Throws HEMI_USAGE for another URL.
 */
export function hrpcTransport(url: string, options: HrpcOptions = {}): HrpcTransport {
  const target = parseTarget(url);
  const { maxMessageSize = defaultMaxMessageSize, dialTimeout = 5000, idleTimeout = 60_000, compress = true } = options;
  const { serves, log } = options;
  const deadlines = new Deadlines({ resolution: 20 });
  const host = serves === undefined || log === undefined ? undefined : clientHost(log, deadlines);
  const procedures = new Map((serves ?? []).flatMap((each) => each.procedures).map((each) => [each.path, each]));
  const transportOver = (session: Parameters<typeof callOver>[0]): Transport => ({
    call: (call) => callOver(session, call, maxMessageSize),
  });
  const pool = new HrpcPool({
    timeouts: {
      beginTimeout: dialTimeout,
      idleTimeout,
      writeTimeout: 30_000,
      pingInterval: 20_000,
      pingTimeout: 10_000,
    },
    maxConns: () => 1,
    compression: sessionCompression({ compress, minCompressedSize: 1024 }),
    dial: (onread) => dial(target, onread, options.tls),
    makeDeadline: (onExpired) => deadlines.add(onExpired),
    maxMessageSize: () => maxMessageSize,
    failed: (error) => log?.error("failed at a connection of hrpc", { error }),
    ...(host !== undefined && {
      serve: (stream, session) => {
        const origin = { peer: undefined, identity: unknownIdentity, caller: transportOver(session) };
        serveStream(host, procedures.get(stream.head.path), stream, origin);
      },
    }),
  });
  const close = (): void => {
    pool.destroy();
    deadlines.close();
  };
  return {
    timers: deadlines,
    async *call(call) {
      yield* callOver(await pool.take(call.signal), call, maxMessageSize);
    },
    callOnce(call) {
      const session = pool.free;
      if (session !== undefined) return callOnceOver(session, call, maxMessageSize);
      pool
        .take(call.signal)
        .then((session) => callOnceOver(session, call, maxMessageSize))
        .catch((error: unknown) => call.failed(error));
    },
    close,
    [Symbol.asyncDispose]: () => Promise.resolve(close()),
  };
}

const defaultMaxMessageSize = 4 * 1024 * 1024;

/** The limits of calls that a server makes of us. */
function clientHost(log: ErrorLog, deadlines: Deadlines): CallHost {
  return {
    settings: { maxCalls: 1000, maxTime: 60_000, maxStreamTime: 3_600_000 },
    deadlines,
    log,
    noteFault: (error) => log.error("a call of the server failed", { error }),
    streamOpened: () => undefined,
    streamClosed: () => undefined,
  };
}

interface Target {
  readonly address: Address;
  readonly isSecure: boolean;
}

function parseTarget(url: string): Target {
  const [, scheme, path, authority] = /^(hrpcs?):(?:(\/(?!\/).+)|\/\/([^/?#]+)\/?)$/.exec(url) ?? [];
  const isSecure = scheme === "hrpcs";
  if (path !== undefined) return { address: { path }, isSecure };
  const address = authority === undefined ? undefined : parseAddress(authority);
  if (address !== undefined) return { address, isSecure };
  throw new HemiError(
    "HEMI_USAGE",
    `an address of hrpc is hrpc://host:port, hrpcs://host:port or hrpc:/path, not ${url}`,
  );
}

function dial({ address, isSecure }: Target, onread: OnReadOpts, tls: ConnectionOptions | undefined): Dialled {
  const to = { ...address, onread, noDelay: true, allowHalfOpen: true };
  if (!isSecure) return { socket: connect(to), connectEvent: "connect" };
  const host = "host" in address ? address.host : "";
  const servername = tls?.servername ?? (isIP(host) === 0 ? host : "");
  return {
    socket: connectTls({ ...tls, ...to, servername, ALPNProtocols: [protocolName] }),
    connectEvent: "secureConnect",
  };
}
