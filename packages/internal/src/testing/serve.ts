// For tests: a running server on a port of its own, whose handlets and revisers are plain functions and objects.

import type { ConnectionOptions } from "node:tls";
import { describe } from "vitest";
import type { Definition } from "../component/definition.ts";
import { defineFixture } from "../fixtures/kind.ts";
import { pack } from "../component/pack.ts";
import type { ConfigValue } from "../config/object.ts";
import { Clock } from "../fixtures/clock.ts";
import { fcache, namer } from "../fixtures/definitions.ts";
import { kinds } from "../kinds.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { Listeners } from "../net/listener.ts";
import { makeBoot } from "../boot.ts";
import type { Stage } from "../stage.ts";
import { httpxServer } from "../httpx/httpx-server.ts";
import type { ServerPart } from "../stage/kinds/server.ts";
import { defineHandlet, defineReviser, type HandletPart, type ReviserPart } from "../web/kinds.ts";
import { rule } from "../web/dispatch/rule.ts";
import { webapp } from "../web/dispatch/webapp.ts";
import { certificateFolder, testAuthority } from "./certificates.ts";
import { RawClient, request } from "./raw-client.ts";
import type { ReceivedResponse } from "./read-response.ts";

export interface ServeOptions {
  /** Of the one rule, in order; their paths are `webapp.app/rule/handlet1`, `webapp.app/rule/handlet2`… */
  readonly handlets?: readonly HandletPart["handle"][];
  /** Likewise, `webapp.app/rule/reviser1`… */
  readonly revisers?: readonly ReviserPart[];
  /** Props of the httpxServer, durations in ms. */
  readonly settings?: Readonly<Record<string, ConfigValue>>;
  /** Props of the webapp. */
  readonly webapp?: Readonly<Record<string, ConfigValue>>;
  readonly maxContentSize?: number;
  /** By HTTPS, with a certificate for `test.example`. */
  readonly tls?: boolean;
  /** Default: a port of its own on 127.0.0.1. */
  readonly address?: string;
  /** Default: some of its own. */
  readonly listeners?: Listeners;
  /** In ms. Default: the true time. */
  readonly monotonic?: () => number;
  /** In ms since the epoch. Default: the true time. */
  readonly wall?: () => number;
}

export interface TestServer extends AsyncDisposable {
  readonly stage: Stage;
  readonly port: number;
  /** How to connect by TLS; `undefined` where that is not spoken. */
  readonly tls: ConnectionOptions | undefined;
  /** The lines of the error log, `debug` too. */
  readonly log: readonly string[];
  /** `protocols`: those that a client of TLS proposes (ALPN). */
  connect(protocols?: readonly string[]): Promise<RawClient>;
  /** One request on a connection of its own: bytes, or a line such as `GET /`, which is made a right request. */
  ask(bytes: string, method?: string): Promise<ReceivedResponse>;
}

/** Serves by one handlet, or as the options say. */
export async function serve(given: HandletPart["handle"] | ServeOptions): Promise<TestServer> {
  const options = typeof given === "function" ? { handlets: [given] } : given;
  const { handlets = [], revisers = [], monotonic, wall } = options;
  const definitions: Definition[] = [
    ...handlets.map((handle, i) => defineHandlet({ sign: `handlet${i + 1}`, create: () => ({ handle }) })),
    ...revisers.map((part, i) => defineReviser({ sign: `reviser${i + 1}`, create: () => part })),
  ];
  const certificates = options.tls === true ? await certificateFolder() : undefined;
  const issued = await certificates?.issue("test", { names: ["test.example"] });
  const tls = issued && { ca: (await testAuthority()).cert, servername: "test.example" };
  const time = { ...(monotonic && { monotonic }), ...(wall && { wall }) };
  const clock = defineFixture({ sign: "clock", create: () => new Clock(time) });
  const sink = new MemorySink();
  const log = openErrorLog({ level: "debug", sink });
  const boot = makeBoot({
    kinds,
    packs: [pack("test", [clock, fcache, namer, httpxServer, webapp, rule, ...definitions])],
    fixtures: { clock, fcache, namer },
    openLog: () => log,
    makeListeners: () => options.listeners ?? new Listeners(),
  });
  const stage = await boot.bootObject({
    sign: "stage",
    children: [
      {
        sign: "httpxServer",
        name: "main",
        props: {
          webapps: ["app"],
          address: options.address ?? "127.0.0.1:0",
          ...(issued && { tlsMode: true }),
          ...options.settings,
        },
      },
      {
        sign: "webapp",
        name: "app",
        props: { hostnames: ["*"], ...issued, ...options.webapp },
        children: [
          {
            sign: "rule",
            props: options.maxContentSize === undefined ? {} : { maxContentSize: options.maxContentSize },
            children: definitions.map(({ sign }) => ({ sign })),
          },
        ],
      },
    ],
  });
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const port = Number(/:(\d+)$/.exec(listensOn)?.[1] ?? 0);
  const clients: RawClient[] = [];
  const server: TestServer = {
    stage,
    port,
    tls,
    log: sink.lines,
    async connect(protocols) {
      const secure = tls && protocols ? { ...tls, ALPNProtocols: [...protocols] } : tls;
      const client = await RawClient.connect(port === 0 ? { path: listensOn } : { port, host: "127.0.0.1" }, secure);
      clients.push(client);
      return client;
    },
    async ask(bytes, method = bytes.startsWith("HEAD ") ? "HEAD" : "GET") {
      await using client = await server.connect();
      return await client.send(bytes.includes("\r\n") ? bytes : request(bytes)).response(method);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
      await stage.quit(1000);
      await certificates?.[Symbol.asyncDispose]();
    },
  };
  return server;
}

/** A way for a client to reach a server: `serve` as tests know it, for servers that are reached by it. */
export interface ServerTransport {
  readonly name: string;
  readonly isTLS: boolean;
  readonly serve: typeof serve;
}

const transports: readonly ServerTransport[] = [false, true].map((isTLS) => ({
  name: isTLS ? "TLS" : "plain",
  isTLS,
  serve: (given) => serve({ tls: isTLS, ...(typeof given === "function" ? { handlets: [given] } : given) }),
}));

/** Runs a suite for each transport: what holds for one holds for all. */
export function describeTransports(suite: (transport: ServerTransport) => void): void {
  describe.each(transports)("over $name", suite);
}
