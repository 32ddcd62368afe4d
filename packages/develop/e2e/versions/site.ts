// The site that the matrix of versions asks: one webapp with a bit of everything in it, behind a server without TLS,
// one with it, and one of HTTP/3.

import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { bootText, defineHandlet, Mapper, MemorySink, openErrorLog, pack, type Stage } from "@hemi/hemi";
import quic, { type Http3Outgate } from "@hemi/contrib-quic";
import type { Target, Version } from "./clients.ts";

export interface Site extends AsyncDisposable {
  target(version: Version): Target;
  /** Once the access log has a line for this path: its status and how it ended. */
  ending(path: string): Promise<string>;
  /** Once a backend has seen the client of this path leave. */
  left(path: string): Promise<void>;
}

const handlets = [
  defineHandlet({
    sign: "tellForm",
    create: () => ({
      async handle(req, resp) {
        const form = await req.content.form();
        const files = form.files.map(({ fieldName, fileName, size }) => [fieldName, fileName, size]);
        resp.sendJSON([form.entries(), files]);
        return true;
      },
    }),
  }),
  defineHandlet({
    sign: "tellContent",
    create: () => ({
      async handle(req, resp) {
        resp.send(await req.content.text());
        return true;
      },
    }),
  }),
  /** An event, and then no other until the client leaves. */
  defineHandlet({
    sign: "events",
    create: () => ({
      async handle(req, resp) {
        resp.setHeader("content-type", "text/event-stream");
        const isGone = Promise.withResolvers<void>();
        req.onAbort(() => isGone.resolve());
        await resp.echo("data: first\n\n");
        await isGone.promise;
        return true;
      },
    }),
  }),
  defineHandlet({ sign: "waits", create: () => ({ handle: () => true }) }),
  defineHandlet({
    sign: "users",
    create: () =>
      new Mapper()
        .get("/users/:id", (_req, _resp, { id }) => ({ id }))
        .post("/users", async (req) => ({ made: await req.content.json() })),
  }),
];

/** By paths: those whose client has left the backend, and who wants to know. */
const leavings = new Map<string, PromiseWithResolvers<void>>();

function leavingOf(path: string): PromiseWithResolvers<void> {
  const leaving = leavings.get(path) ?? Promise.withResolvers<void>();
  leavings.set(path, leaving);
  return leaving;
}

/** More than any window takes at first: some of it has been passed on when all of it is written. */
const halfOfIt = Buffer.alloc(500_000);

/** What the proxies pass on to: a server of Node's own, of either version. */
const backend = (request: IncomingMessage, response: ServerResponse): void => {
  const { url = "" } = request;
  if (url.includes("/events")) {
    response.on("close", () => leavingOf(url).resolve());
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: first\n\n");
    return;
  }
  if (url.includes("/broken")) {
    response.writeHead(200, { "content-length": "1000000" });
    response.write(halfOfIt, () => response.destroy());
    return;
  }
  const pieces: Buffer[] = [];
  request.on("data", (piece: Buffer) => pieces.push(piece));
  request.on("end", () => {
    response.writeEarlyHints({ link: "</style.css>; rel=preload" });
    response.writeHead(201, { trailer: "x-sum" });
    response.write(`${request.method} ${Buffer.concat(pieces).length} `);
    response.addTrailers({ "x-sum": request.trailers["x-sum"] ?? "7" });
    response.end("end");
  });
};

/** The same, by what is alike in Node's two servers. */
const backendOfHttp2 = (request: http2.Http2ServerRequest, response: http2.Http2ServerResponse): void => {
  if (request.url.includes("/broken")) {
    response.writeHead(200, { "content-length": "1000000" });
    response.write(halfOfIt, () => response.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
    return;
  }
  Reflect.apply(backend, undefined, [request, response]);
};

export async function serveSite(openssl: string): Promise<Site> {
  await using stack = new AsyncDisposableStack();
  const { path: folder } = stack.use(await mkdtempDisposable(join(tmpdir(), "hemi-versions-")));
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem"];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
  await promisify(execFile)(openssl, ["req", "-x509", ...key, "-out", "cert.pem", ...names], { cwd: folder });
  await writeFiles(folder);
  const node = createServer(backend).listen(0, "127.0.0.1");
  stack.defer(() => node.close().closeAllConnections());
  const http2Node = http2.createServer(backendOfHttp2).listen(0, "127.0.0.1");
  stack.defer(() => void http2Node.close());
  await Promise.all([once(node, "listening"), once(http2Node, "listening")]);
  const ports = [node, http2Node].map((server) => (server.address() as AddressInfo).port);
  const log = openErrorLog({ sink: new MemorySink() });
  const http3Node = await bootText(http3NodeBefore(ports[0]), { baseDir: folder, use: [quic], log });
  stack.defer(() => http3Node.quit(1000));
  await http3Node.start();
  const stage = await bootText(configuration([...ports, portOf(http3Node, "http3Server.quic")]), {
    baseDir: folder,
    tmpsDir: folder,
    use: [pack("versions", handlets), quic],
    log,
  });
  stack.defer(() => stage.quit(1000));
  await stage.start();
  const ca = await readFile(join(folder, "cert.pem"));
  const kept = stack.move();
  return {
    target: ({ server }) => ({
      port: portOf(stage, `${server === "quic" ? "http3Server" : "httpxServer"}.${server}`),
      ca: server === "plain" ? undefined : ca,
      outgate: stage.find("http3Outgate")?.part as unknown as Http3Outgate,
    }),
    async ending(path) {
      for (let tries = 0; tries < 500; tries++) {
        const lines = (await readFile(join(folder, "access.log"), "utf8")).split("\n");
        const line = lines.find((line) => line.startsWith(`${path} `));
        if (line !== undefined) return line.slice(path.length + 1);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      throw new Error(`the access log has no line for ${path}`);
    },
    left: (path) => leavingOf(path).promise,
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function writeFiles(folder: string): Promise<void> {
  const web = join(folder, "web");
  await mkdir(join(web, "listed"), { recursive: true });
  const files: Record<string, string | Uint8Array> = {
    "digits.txt": "0123456789",
    "large.bin": Buffer.alloc(5_000_000, "0123456789"),
    "page.html": "<p>hello</p>".repeat(200),
    "packed.txt": "packed",
    "packed.txt.gz": gzipSync("packed"),
    "included.shtml": `<!--#include virtual="/digits.txt" -->!`,
    "404.html": "nothing here",
    "listed/a.txt": "a",
    "../fetch-app.mjs": `
      export default { fetch(request) {
        return new Response(request.body ?? request.method, { headers: { "x-app": "fetch" } });
      } };`,
    "../node-app.mjs": `
      export default (req, res) => { res.setHeader("x-app", "node"); req.pipe(res); };`,
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(web, name), content);
}

/** What `hashPassword` of `@hemi/contrib-handlets` makes of `secret`. */
const hashOfSecret = "$scrypt$ln=15,r=8,p=1$7pbJLn9fKRgb8AuGc4EYeQ$oyBukOA19RujoXFkQSGYWW0I9Yq1qjly20OOddkgkAw";

/** Node has no server of HTTP/3: one of ours passes on to a server of Node's. */
function http3NodeBefore(port: number | undefined): string {
  return `stage {
    http1Backend "node" { .nodes = (["address": "127.0.0.1:${port}"]) }
    webapp "node" {
      .hostnames = ("*") .tlsCert = "cert.pem" .tlsKey = "key.pem"
      rule { httpProxy { .toBackend = "node" } }
    }
    http3Server "quic" { .address = "127.0.0.1:0" }
  }`;
}

function configuration([port, http2Port, http3Port]: readonly number[]): string {
  return `stage {
    http3Outgate { .tlsCA = "cert.pem" }
    http3Backend "http3Node" { .nodes = (["address": "127.0.0.1:${http3Port}"]) .tlsServerName = "localhost" .tlsCA = "cert.pem" }
    http1Backend "node" { .nodes = (["address": "127.0.0.1:${port}"]) }
    http2Backend "http2Node" { .nodes = (["address": "127.0.0.1:${http2Port}"]) }
    webapp "site" {
      .hostnames = ("*") .webRoot = "web" .file404 = "web/404.html"
      .tlsCert = "cert.pem" .tlsKey = "key.pem"
      .accessLog = ["file": "access.log", "format": $encodedPath + " " + $status + " " + $endReason]
      rule $path ^= "/form/small/" { .maxContentSize = 100 tellForm {} }
      rule $path ^= "/form" { tellForm {} }
      rule $path == "/content" { .maxContentSize = 200K .decodeContent = true tellContent {} }
      rule $path ^= "/events" { gzip {} events {} }
      rule $path ^= "/wait" { waits {} }
      rule $path == "/page.html" { gzip { .codings = ("gzip") } replace { .rules = (["find": "hello", "with": "goodbye"]) } static {} }
      rule $path == "/included.shtml" { ssi {} static {} }
      rule $path ^= "/proxy/1" { httpProxy { .toBackend = "node" } }
      rule $path ^= "/proxy/2" { httpProxy { .toBackend = "http2Node" } }
      rule $path ^= "/proxy/3" { httpProxy { .toBackend = "http3Node" } }
      rule $path ^= "/users" { users {} }
      rule $path ^= "/fetch" { fetchHandlet { .module = "fetch-app.mjs" } }
      rule $path ^= "/node" { nodeHandlet { .module = "node-app.mjs" } }
      rule $path == "/private" { basicAuth { .users = ["ada": "${hashOfSecret}"] } }
      rule $path == "/private" { .returnText = "in" }
      rule $path == "/shared" { cors { .origins = ("https://a.example") } }
      rule $path == "/shared" { .returnText = "shared" }
      rule $path ^= "/old/" { rewriter { .pattern = "^/old/(.*)$" .target = "/$1" } }
      rule $path ^= "/limited" { limiter { .key = $path .rate = 1 .per = 1h } }
      rule $path ^= "/limited" { .returnText = "allowed" }
      rule $path ^= "/listed/" { static { .listing = "html" } }
      rule { static { .precompressed = ("gzip") } }
    }
    httpxServer "plain" { .webapps = ("site") .address = "127.0.0.1:0" }
    httpxServer "secure" { .webapps = ("site") .address = "127.0.0.1:0" .tlsMode = true }
    http3Server "quic" { .webapps = ("site") .address = "127.0.0.1:0" }
  }`;
}

function portOf(stage: Stage, server: string): number {
  const part = stage.find(server)?.part;
  const listensOn = part !== undefined && "listensOn" in part ? (part.listensOn as readonly string[]) : [];
  return Number(listensOn[0]?.split(":").at(-1));
}
