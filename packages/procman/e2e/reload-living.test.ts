// What runs on one webapp lives through reloads of another one: WebSockets, event streams, and slow downloads.

import { execFile } from "node:child_process";
import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { get, request } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { folderWith } from "./command.ts";
import { serve, type Program } from "./program.ts";

vi.setConfig({ testTimeout: 90_000 });

/** Echoes messages, and streams events that come once for each reload. */
const pack = `import { defineHandlet, defineSocklet, pack } from "${import.meta.resolve("@hemi/hemi")}";
  const echo = defineSocklet({
    sign: "echo",
    create: () => ({
      handle(upgrade) {
        const ws = upgrade.accept({ message: (message) => ws.send(message) });
        return true;
      },
    }),
  });
  const streams = new Set();
  const events = defineHandlet({
    sign: "events",
    create: () => ({
      async handle(_req, resp) {
        resp.addHeader("content-type", "text/event-stream");
        await resp.sendStream(new ReadableStream({
          start(controller) { streams.add(controller); controller.enqueue("data: 0\\n\\n"); },
          cancel() {},
        }).pipeThrough(new TextEncoderStream()));
        return true;
      },
    }),
  });
  const tick = defineHandlet({
    sign: "tick",
    create: ({ workers }) => {
      const send = (text) => { for (const stream of streams) stream.enqueue("data: " + text + "\\n\\n"); };
      workers.subscribe("tick", send);
      return {
        handle(req, resp) {
          send(req.query("n"));
          workers.broadcast("tick", req.query("n"));
          resp.send("");
          return true;
        },
      };
    },
  });
  export default pack("test", [echo, events, tick]);`;

interface Variant {
  readonly number: number;
  readonly ports: readonly number[];
}

/** Webapp B is another one for each number: its certificate, its rules, and the nodes of its backend. */
const config = ({ number, ports }: Variant): string => `stage {
  .drainTimeout = 1s
  http1Backend "api" {
    .nodes = (${(number % 2 === 0 ? ports : ports.slice(0, 1)).map((port) => `["address": "127.0.0.1:${port}"]`).join(", ")})
    .balancer = "${number % 3 === 0 ? "random" : "leastConn"}"
  }
  webapp "a" {
    .hostnames = ("127.0.0.1")
    .webRoot = %baseDir
    rule $path == "/echo" { echo {} }
    rule $path == "/events" { events {} }
    rule $path == "/tick" { tick {} }
    rule { static {} }
  }
  webapp "b" {
    .hostnames = ("b.example", "b${number}.example")
    .tlsCert = %baseDir + "/${number % 2}.crt"
    .tlsKey = %baseDir + "/${number % 2}.key"
    ${number % 5 === 0 ? 'rule $path == "/some" { .returnText = "times" }' : ""}
    rule $path == "/api" { httpProxy { .toBackend = "api" } }
    rule { .returnText = "${number}" }
  }
  httpxServer "main" {
    .webapps = ("a", "b")
    .address = "127.0.0.1:0"
    .tlsMode = true
    .tlsCert = %baseDir + "/0.crt"
    .tlsKey = %baseDir + "/0.key"
  }
}
`;

async function makeCertificate(folder: string, name: string): Promise<string> {
  const files = ["-keyout", join(folder, `${name}.key`), "-out", join(folder, `${name}.crt`)];
  const what = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", `/CN=${name}`];
  const names = ["-addext", "subjectAltName=DNS:b.example,DNS:*.example,IP:127.0.0.1"];
  await promisify(execFile)("openssl", ["req", "-x509", ...what, ...names, ...files]);
  return new X509Certificate(await readFile(join(folder, `${name}.crt`))).fingerprint256;
}

/** Asks webapp B, on a connection of its own. */
async function askB(port: number, path: string): Promise<{ text: string; fingerprint: string }> {
  const asked = get({
    host: "127.0.0.1",
    port,
    path,
    servername: "b.example",
    agent: false,
    headers: { host: "b.example" },
  });
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  if (!(response.socket instanceof TLSSocket)) throw new Error("the response came without TLS");
  const { fingerprint256 } = response.socket.getPeerCertificate();
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return { text, fingerprint: fingerprint256 };
}

interface Living {
  /** Uses it, and rejects if it is dead. */
  check(number: number): Promise<void>;
  end(): Promise<void>;
}

async function webSocket(port: number): Promise<Living> {
  const ws = new WebSocket(`wss://127.0.0.1:${port}/echo`);
  let heard = "";
  let closed = "";
  ws.addEventListener("message", ({ data }) => (heard = String(data)));
  ws.addEventListener("close", ({ code }) => (closed = String(code)));
  await once(ws, "open");
  return {
    async check(number) {
      ws.send(`${number}`);
      await expect.poll(() => closed + heard, { timeout: 20_000, interval: 10 }).toBe(String(number));
    },
    end: () => Promise.resolve(ws.close()),
  };
}

async function eventStream(port: number): Promise<Living> {
  const asked = request({ host: "127.0.0.1", port, path: "/events", agent: false }).end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  let heard = "";
  response.on("data", (chunk: Buffer) => (heard += chunk.toString()));
  response.on("close", () => (heard += "closed"));
  return {
    check: (number) =>
      expect.poll(() => heard, { timeout: 20_000, interval: 10 }).toMatch(new RegExp(`data: ${number}\n\n$`)),
    async end() {
      response.destroy();
    },
  };
}

/** Reads a piece at each check, and the rest at its end. */
async function slowDownload(port: number, digest: string): Promise<Living> {
  const asked = request({ host: "127.0.0.1", port, path: "/big.bin", agent: false }).end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const hash = createHash("sha256");
  const pieces = response[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  return {
    async check() {
      const piece = await pieces.next();
      expect(piece.done).toBe(false);
      hash.update(piece.value as Buffer);
    },
    async end() {
      for (;;) {
        const piece = await pieces.next();
        if (piece.done === true) break;
        hash.update(piece.value);
      }
      expect(hash.digest("hex")).toBe(digest);
    },
  };
}

async function connectAll(program: Program, digest: string): Promise<readonly Living[]> {
  const { port } = program;
  const of = (count: number, make: () => Promise<Living>) => Promise.all(Array.from({ length: count }, make));
  return [
    ...(await of(200, () => webSocket(port))),
    ...(await of(50, () => eventStream(port))),
    ...(await of(20, () => slowDownload(port, digest))),
  ];
}

test("WebSockets, event streams and downloads live through 50 reloads of another webapp", async () => {
  vi.stubEnv("NODE_TLS_REJECT_UNAUTHORIZED", "0");
  const node = createServer((_request, response) => response.end("api")).listen(0, "127.0.0.1");
  const other = createServer((_request, response) => response.end("api")).listen(0, "127.0.0.1");
  await Promise.all([once(node, "listening"), once(other, "listening")]);
  const ports = [node, other].map((server) => (server.address() as AddressInfo).port);
  const big = randomBytes(16 * 1024 * 1024);
  const digest = createHash("sha256").update(big).digest("hex");
  await using folder = await folderWith({ "hemi.conf": config({ number: 0, ports }), "pack.mjs": pack });
  await writeFile(join(folder.path, "big.bin"), big);
  const fingerprints = [await makeCertificate(folder.path, "0"), await makeCertificate(folder.path, "1")];
  await using program = await serve(folder.path, "--use", "./pack.mjs");
  const living = await connectAll(program, digest);
  const before = await program.call("pids");
  for (let number = 1; number <= 50; number++) {
    await writeFile(join(folder.path, "hemi.conf"), config({ number, ports }));
    await program.call("reload");
    // Both workers have it.
    for (let i = 0; i < 4; i++) {
      const answer = await askB(program.port, "/");
      expect(answer).toEqual({ text: String(number), fingerprint: fingerprints[number % 2] });
    }
    expect((await askB(program.port, "/api")).text).toBe("api");
    if (number % 10 > 0) continue;
    await once(get({ host: "127.0.0.1", port: program.port, path: `/tick?n=${number}`, agent: false }), "response");
    await Promise.all(living.map((one) => one.check(number)));
  }
  expect(await program.call("pids")).toEqual(before);
  expect(program.command.written()).not.toMatch(/ (warn|error) /);
  await Promise.all(living.map((one) => one.end()));
  for (const server of [node, other]) {
    server.closeAllConnections();
    server.close();
  }
});
