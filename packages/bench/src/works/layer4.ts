// Connections and datagrams through routers, against haproxy in TCP mode and nginx's stream module.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { memoryAtRest } from "../memory-at-rest.ts";
import { compare, comparePairs, type Comparison } from "../comparison.ts";
import { download } from "../download.ts";
import { loadCore, pinned } from "../machine.ts";
import { startBackend, startServer, type Command, type ServerProcess } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import type { Result, Settings, Work } from "../work.ts";
import { open } from "./idle-memory.ts";
import { largePath, startLargeBackend, startProxy } from "./proxying.ts";

const inTurn = { path: "/", theirPath: "/", isVaried: false };
const haproxy = "haproxy, TCP mode";
const gibibyte = 1024 * 1024 * 1024;
/** Half of them are open before the first measurement. */
const idleConns = 7000;

/** Waits for the ClientHello, and refuses other names than those of the load. */
const bySni =
  "tcp-request inspect-delay 5s\n    tcp-request content accept if { req.ssl_sni -i 127.0.0.1 }\n    " +
  "tcp-request content reject if { req.ssl_hello_type 1 }";

function work(
  name: string,
  against: string,
  [atLeast, aim]: readonly [string, string],
  {
    backend,
    ours,
    theirs,
    run,
    unit = "/s",
    needs = ["haproxy", "wrk", "nginx"],
  }: {
    backend: () => Promise<ServerProcess>;
    ours: () => Command;
    theirs: (backendPort: number) => Command;
    run: (ours: ServerProcess, theirs: ServerProcess, settings: Settings) => Promise<Comparison>;
    unit?: string;
    needs?: readonly string[];
  },
): Work {
  return {
    name,
    needs,
    async run(settings): Promise<readonly Result[]> {
      await using behind = await backend();
      await using our = await startProxy(ours(), behind);
      await using their = await startServer(theirs(behind.port));
      const { ours: a, theirs: b, ratio, spread } = await run(our, their, settings);
      const figure = `${ratio.toFixed(2)} (${spread.map((bound) => bound.toFixed(2)).join("–")})`;
      return [{ against, ours: `${Math.round(a)}${unit}`, theirs: `${Math.round(b)}${unit}`, figure, atLeast, aim }];
    },
  };
}

const tcp = { backend: () => startBackend(servers.nginx), ours: () => servers.hemi("layer4.conf") };

export const layer4: readonly Work[] = [
  work("layer 4: keep-alive requests", haproxy, ["0.85", "1.0"], {
    ...tcp,
    theirs: (port) => servers.haproxy(port),
    run: (ours, theirs, settings) => compare(ours, theirs, { ...settings, ...inTurn }),
  }),
  work("layer 4: new connection, one request, close", haproxy, ["0.5", "0.7"], {
    ...tcp,
    theirs: (port) => servers.haproxy(port),
    run: (ours, theirs, settings) => compare(ours, theirs, { ...settings, ...inTurn, headers: ["connection: close"] }),
  }),
  work("layer 4: new connections by SNI, not terminated", "haproxy, req.ssl_sni", ["0.5", "0.7"], {
    backend: () => startBackend(servers.nginxHttp2),
    ours: () => servers.hemi("layer4-sni.conf"),
    theirs: (port) => servers.haproxy(port, bySni),
    run: (ours, theirs, settings) =>
      compare(ours, theirs, { ...settings, ...inTurn, scheme: "https", headers: ["connection: close"] }),
  }),
  work("layer 4: 1 GiB through one connection", haproxy, ["0.6", "0.9"], {
    backend: () => startLargeBackend(gibibyte),
    ours: tcp.ours,
    theirs: (port) => servers.haproxy(port),
    unit: " MiB/s",
    run: (ours, theirs, { pairs }) =>
      comparePairs(
        () => download(ours.port, largePath),
        () => download(theirs.port, largePath),
        pairs,
      ),
  }),
  work("layer 4: memory for each idle connection", haproxy, ["2.0 or less", "1.0"], {
    backend: () => startBackend(servers.hemi("return-text.conf")),
    ours: tcp.ours,
    theirs: (port) => servers.haproxy(port),
    unit: " bytes",
    run: (ours, theirs) =>
      comparePairs(
        () => idleMemory(ours),
        () => idleMemory(theirs),
        1,
      ),
  }),
  {
    name: "layer 4: datagrams, 64 clients",
    needs: ["nginx"],
    async run({ seconds, pairs }) {
      const against = "nginx stream";
      if (!existsSync("/usr/lib/nginx/modules/ngx_stream_module.so")) {
        const figure = "not measured: libnginx-mod-stream missing";
        return [{ against, ours: "", theirs: "", figure, atLeast: "0.4", aim: "0.7" }];
      }
      const measured = work("", against, ["0.4", "0.7"], {
        backend: () => startBackendOfDatagrams(),
        ours: () => servers.hemi("layer4-udp.conf"),
        theirs: (port) => servers.nginxStream(port),
        run: (ours, theirs) =>
          comparePairs(
            () => datagrams(ours.port, seconds),
            () => datagrams(theirs.port, seconds),
            pairs,
          ),
      });
      return await measured.run({ seconds, pairs });
    },
  },
];

function startBackendOfDatagrams(): Promise<ServerProcess> {
  return startBackend(servers.node("datagram-echo.ts"));
}

/** In bytes: what the second half of the connections has added, both halves at rest. */
async function idleMemory(server: ServerProcess): Promise<number> {
  const get = Buffer.from("GET / HTTP/1.1\r\nhost: a.example\r\n\r\n");
  const first = await open(server, get, idleConns / 2);
  const before = await memoryAtRest(server);
  const second = await open(server, get, idleConns / 2);
  const each = ((await memoryAtRest(server)) - before) / second.length;
  for (const socket of [...first, ...second]) socket.destroy();
  return each;
}

/** Answers a second. */
async function datagrams(port: number, seconds: number): Promise<number> {
  const load = fileURLToPath(new URL("../datagram-load.ts", import.meta.url));
  const [program, ...args] = pinned(loadCore, [process.execPath, load, String(port), String(seconds), "64"]);
  return Number((await promisify(execFile)(program, args)).stdout);
}
