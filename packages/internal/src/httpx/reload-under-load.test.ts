// Reloads while clients of all sorts go on: no request fails, and nothing is left of what was dropped.

import { once } from "node:events";
import { readdir } from "node:fs/promises";
import * as http2 from "node:http2";
import { connect as connectTLS } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bootWith } from "../boot.ts";
import { pack } from "../component/pack.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { certificateFolder, type CertificateFolder } from "../testing/certificates.ts";
import { RawBackend } from "../testing/raw-backend.ts";
import { RawClient, request } from "../testing/raw-client.ts";
import type { ServerPart } from "../stage/kinds/server.ts";
import { defineHandlet } from "../web/kinds.ts";

let folder: CertificateFolder;
let certificates: string[];
let logs: string;
beforeAll(async () => {
  folder = await certificateFolder();
  logs = folder.path;
  certificates = [];
  for (const name of ["one", "two"]) {
    const { tlsCert, tlsKey } = await folder.issue(name, { names: ["a.example", "b.example"] });
    certificates.push(`.tlsCert = "${tlsCert}" .tlsKey = "${tlsKey}"`);
  }
});
afterAll(() => folder[Symbol.asyncDispose]());

/** Answers `slow` in several pieces, over some turns. */
const slow = defineHandlet({
  sign: "slow",
  create: () => ({
    async handle(_req, resp) {
      for (let i = 0; i < 4; i++) {
        await resp.echo("slow");
        await new Promise(setImmediate);
      }
      resp.end();
      return true;
    },
  }),
});

function site(round: number, node: string): string {
  const certificate = certificates[round % 2] ?? "";
  const weight = 1 + (round % 5);
  const rules = Array.from({ length: round % 12 }, (_, i) => `rule $path == "/${i}" { .returnText = "${round}" }`);
  const webapp = (name: string, version: number) => `webapp "${name}" {
    .hostnames = ("${name}.example") ${certificate} .webRoot = "/${version}" .accessLog = ["file": "${logs}/${name}.log", "maxSize": 64K]
    rule $path == "/proxied" { httpProxy { .toBackend = "app" } }
    ${name === "b" ? rules.join("\n") : ""}
    rule $path == "/slow" { slow {} }
    rule { .returnText = "${name}" }
  }`;
  return `stage {
    http1Backend "app" { .nodes = (["address": "${node}", "weight": ${weight}]) .healthCheck = "tcp" .balancer = "${round % 3 === 0 ? "random" : "roundRobin"}" }
    ${webapp("a", 0)} ${webapp("b", round)}
    httpxServer "plain" { .webapps = ("a", "b") .address = "127.0.0.1:0" }
    httpxServer "secure" { .webapps = ("a", "b") .address = "127.0.0.1:0" .tlsMode = true ${certificate} }
  }`;
}

const paths = ["/", "/slow", "/proxied", "/nothing"];
const reloads = 12;

async function clients(plain: number, secure: number, isOver: () => boolean) {
  const failures: string[] = [];
  let count = 0;
  const guard = async (name: string, work: () => Promise<void>): Promise<void> => {
    try {
      while (!isOver()) await work();
    } catch (error) {
      failures.push(`${name}: ${String(error)} ${error instanceof Error ? String(error.cause) : ""}`);
    }
  };
  const ask = async (client: RawClient, turn: number): Promise<void> => {
    const path = paths[turn % paths.length] ?? "/";
    const host = turn % 3 === 0 ? "b.example" : "a.example";
    client.send(request(path === "/slow" && turn % 2 ? "GET /slow" : `GET ${path}`, { host }));
    const { status } = await client.response();
    count++;
    if (status !== 200) throw new Error(`${path} of ${host}: ${status}`);
  };
  const tls = { host: "127.0.0.1", port: secure, servername: "a.example", rejectUnauthorized: false };
  const kept = Array.from({ length: 24 }, async (_, number) => {
    await using client =
      number % 2
        ? await RawClient.connect({ host: "127.0.0.1", port: plain })
        : await RawClient.connect({ host: "127.0.0.1", port: secure }, tls);
    let turn = number;
    await guard(`kept ${number}`, () => ask(client, turn++));
  });
  const fresh = Array.from({ length: 4 }, (_, number) => {
    let turn = number;
    return guard(`fresh ${number}`, async () => {
      await using client =
        number % 2
          ? await RawClient.connect({ host: "127.0.0.1", port: plain })
          : await RawClient.connect({ host: "127.0.0.1", port: secure }, tls);
      await ask(client, turn++);
    });
  });
  const streams = Array.from({ length: 4 }, async (_, number) => {
    const session = http2.connect(`https://127.0.0.1:${secure}`, {
      createConnection: () => connectTLS({ ...tls, ALPNProtocols: ["h2"] }),
    });
    let turn = number;
    await guard(`h2 ${number}`, async () => {
      const path = paths[turn++ % paths.length] ?? "/";
      const stream = session.request({ ":path": path, ":authority": turn % 3 ? "a.example" : "b.example" });
      const [headers] = (await once(stream, "response")) as [http2.IncomingHttpHeaders & { ":status"?: number }];
      stream.resume();
      await once(stream, "close");
      count++;
      if (headers[":status"] !== 200) throw new Error(`${path}: ${headers[":status"] ?? ""}`);
    });
    session.destroy();
  });
  await Promise.all([...kept, ...fresh, ...streams]);
  return { failures, count };
}

/** What keeps the process, but for calls of the system that are about to end. */
function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo())
    if (!name.endsWith("Req")) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/**
 * What keeps the process beside what kept it before, once nothing more of it ends. Not by `expect.poll`: its timer
 * would be found.
 */
async function leftBehind(before: Readonly<Record<string, number>>): Promise<readonly string[]> {
  const until = Date.now() + 10_000;
  for (;;) {
    const left = Object.entries(resources()).filter(([name, count]) => count > (before[name] ?? 0));
    if (left.length === 0 || Date.now() > until) return left.map(([name, count]) => `${name} ${count}`);
    await new Promise(setImmediate);
  }
}

test("no request fails while a server is reloaded, and nothing is left behind", async () => {
  await using node = await RawBackend.answering((_, conn) => conn.answer("node"));
  const before = resources();
  const files = (await readdir("/proc/self/fd")).length;
  const sink = new MemorySink();
  const options = { log: openErrorLog({ level: "warn", sink }), use: [pack("test", [slow])] };
  const stage = await bootWith([]).bootText(site(1, node.address), options);
  await stage.start();
  const portOf = (path: string) => {
    const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find(path)?.part ?? {};
    return Number(listensOn.replace(/^.*:/, ""));
  };
  let isOver = false;
  const working = clients(portOf("httpxServer.plain"), portOf("httpxServer.secure"), () => isOver);
  for (let round = 2; round < reloads + 2; round++) {
    const { departed } = await stage.reload({ text: site(round, node.address) });
    if (round % 4 === 0) await departed;
    await new Promise(setImmediate);
  }
  isOver = true;
  const { failures, count } = await working;
  expect(failures).toEqual([]);
  expect(count).toBeGreaterThan(100);
  await stage.quit();
  expect(sink.lines).toEqual([]);
  for (const { socket } of node.conns) socket.destroy();
  expect(await leftBehind(before)).toEqual([]);
  await expect.poll(async () => (await readdir("/proc/self/fd")).length).toBe(files);
});
