// For tests: a running server whose only webapp passes everything on to a backend.

import type { ConfigValue } from "../config/object.ts";
import { corePack } from "../core-pack.ts";
import { defineFixture } from "../fixtures/kind.ts";
import { clock, fcache, namer } from "../fixtures/definitions.ts";
import type { Namer } from "../fixtures/namer.ts";
import { kinds } from "../kinds.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { Listeners } from "../net/listener.ts";
import { makeBoot } from "../boot.ts";
import type { Stage } from "../stage.ts";
import type { ServerPart } from "../stage/kinds/server.ts";
import { RawClient, request } from "./raw-client.ts";
import type { ReceivedResponse } from "./read-response.ts";

export type Settings = Readonly<Record<string, ConfigValue>>;

export interface ProxyOptions {
  /** Default: those of HTTP. */
  readonly signs?: { readonly backend: string; readonly handlet: string };
  /** A socklet before the handlet: its sign and its props, beside `toBackend`. */
  readonly socklet?: { readonly sign: string; readonly props?: Settings };
  /** Props of the backend, beside `nodes`. */
  readonly backend?: Settings;
  /** Props of the handlet, beside `toBackend`. */
  readonly proxy?: Settings;
  /** Props of the server. */
  readonly server?: Settings;
  readonly maxContentSize?: number;
  /** Instead of the fixture: says what names mean. */
  readonly namer?: Namer;
}

export interface TestProxy extends AsyncDisposable {
  readonly stage: Stage;
  readonly port: number;
  /** The lines of the error log, `debug` too. */
  readonly log: readonly string[];
  connect(): Promise<RawClient>;
  /** One request on a connection of its own: bytes, or a line such as `GET /`, which is made a right request. */
  ask(bytes: string, method?: string): Promise<ReceivedResponse>;
}

/** A proxy to nodes: addresses, or records as a configuration has them. */
export async function proxyTo(nodes: readonly (string | Settings)[], options: ProxyOptions = {}): Promise<TestProxy> {
  const sink = new MemorySink();
  const log = openErrorLog({ level: "debug", sink });
  const ownNamer = options.namer;
  const usedNamer = ownNamer === undefined ? namer : defineFixture({ sign: "namer", create: () => ownNamer });
  const boot = makeBoot({
    kinds,
    packs: [{ ...corePack, definitions: corePack.definitions.map((one) => (one.sign === "namer" ? usedNamer : one)) }],
    fixtures: { clock, fcache, namer: usedNamer },
    openLog: () => log,
    makeListeners: () => new Listeners(),
  });
  const stage = await boot.bootObject({
    sign: "stage",
    children: [
      {
        sign: options.signs?.backend ?? "http1Backend",
        name: "app",
        props: {
          nodes: nodes.map((node) => (typeof node === "string" ? { address: node } : node)),
          ...options.backend,
        },
      },
      { sign: "httpxServer", name: "main", props: { webapps: ["all"], address: "127.0.0.1:0", ...options.server } },
      {
        sign: "webapp",
        name: "all",
        props: { hostnames: ["*"] },
        children: [
          {
            sign: "rule",
            props: options.maxContentSize === undefined ? {} : { maxContentSize: options.maxContentSize },
            children: [
              ...(options.socklet === undefined
                ? []
                : [{ sign: options.socklet.sign, props: { toBackend: "app", ...options.socklet.props } }]),
              { sign: options.signs?.handlet ?? "httpProxy", props: { toBackend: "app", ...options.proxy } },
            ],
          },
        ],
      },
    ],
  });
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const port = Number(/:(\d+)$/.exec(listensOn)?.[1] ?? 0);
  const clients: RawClient[] = [];
  const proxy: TestProxy = {
    stage,
    port,
    log: sink.lines,
    async connect() {
      const client = await RawClient.connect({ port, host: "127.0.0.1" });
      clients.push(client);
      return client;
    },
    async ask(bytes, method = bytes.startsWith("HEAD ") ? "HEAD" : "GET") {
      await using client = await proxy.connect();
      return await client.send(bytes.includes("\r\n") ? bytes : request(bytes)).response(method);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
      await stage.quit(1000);
    },
  };
  return proxy;
}
