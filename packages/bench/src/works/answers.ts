// Answers a second, against nginx, node:http and the frameworks.

import { compare, type Comparison } from "../comparison.ts";
import { browserHeaders } from "../load.ts";
import { findProgram } from "../machine.ts";
import { startServer } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import { fileOf, filesFolder } from "../servers/files.ts";
import { askedRoute } from "../servers/routes.ts";
import type { Result, Settings, Work } from "../work.ts";

interface Peer {
  readonly name: string;
  readonly command: (port: number) => readonly string[];
  /** Where it answers, if not on the path of the work. */
  readonly path?: string;
  readonly atLeast: string;
  readonly aim: string;
}

interface AnswersWork {
  readonly name: string;
  readonly ours: (port: number) => readonly string[];
  readonly peers: readonly Peer[];
  /** A function where something has to be there first. */
  readonly path: string | (() => string);
  readonly headers: readonly string[];
  readonly isVaried: boolean;
  /** Default: `http`. */
  readonly scheme?: "http" | "https";
  /** Default: 64. */
  readonly connections?: number;
}

const nodeHttps = servers.nodeWithCertificate("node-https.ts");
const nodeHttp = servers.node("node-http.ts");
const fastify = servers.node("fastify.ts");

export const answers: readonly Work[] = [
  answersWork({
    name: "returnText of 13 bytes",
    ours: servers.hemi("return-text.conf"),
    peers: [
      { name: "nginx", command: servers.nginx, atLeast: "0.65", aim: "0.85" },
      { name: "node:http", command: nodeHttp, atLeast: "1.7", aim: "" },
      { name: "Fastify", command: fastify, atLeast: "1.8", aim: "" },
      { name: "Fastify, with callbacks", command: fastify, path: "/callback", atLeast: "", aim: "" },
    ],
    path: "/",
    headers: [],
    isVaried: false,
  }),
  answersWork({
    name: "returnText of 13 bytes, another query each time",
    ours: servers.hemi("return-text.conf"),
    peers: [{ name: "nginx", command: servers.nginx, atLeast: "", aim: "" }],
    path: "/",
    headers: [],
    isVaried: true,
  }),
  answersWork({
    name: "returnText of 13 bytes, 10 browser-like fields",
    ours: servers.hemi("return-text.conf"),
    peers: [{ name: "nginx", command: servers.nginx, atLeast: "0.62", aim: "0.85" }],
    path: "/",
    headers: browserHeaders,
    isVaried: false,
  }),
  answersWork({
    name: "returnText of 13 bytes, 10 browser-like fields, another query each time",
    ours: servers.hemi("return-text.conf"),
    peers: [{ name: "nginx", command: servers.nginx, atLeast: "0.62", aim: "0.85" }],
    path: "/",
    headers: browserHeaders,
    isVaried: true,
  }),
  answersWork({
    name: "returnText of 13 bytes, access log in JSON to a file",
    ours: servers.hemiWithLogs("return-text-logged.conf"),
    peers: [{ name: "Hemi, without the log", command: servers.hemi("return-text.conf"), atLeast: "0.80", aim: "0.90" }],
    path: "/",
    headers: [],
    isVaried: false,
  }),
  answersWork({
    name: "mapper with 200 routes, JSON",
    ours: servers.hemi("mapper.conf", "mapper-pack.ts"),
    peers: [
      { name: "Fastify", command: fastify, atLeast: "1.8", aim: "2.3" },
      { name: "Fastify, with callbacks", command: fastify, path: `/callback${askedRoute}`, atLeast: "", aim: "" },
    ],
    path: askedRoute,
    headers: [],
    isVaried: false,
  }),
  answersWork({
    name: "HTTPS, 13-byte answer, kept connections",
    scheme: "https",
    ours: servers.hemiWithCertificate("https.conf"),
    peers: [{ name: "node:https", command: nodeHttps, atLeast: "1.5", aim: "2.0" }],
    path: "/",
    headers: [],
    isVaried: false,
  }),
  // Each request on a connection of its own, and none of wrk's goes on with a session: what counts is the handshake.
  answersWork({
    name: "HTTPS handshakes",
    scheme: "https",
    ours: servers.hemiWithCertificate("https.conf"),
    peers: [{ name: "node:https", command: nodeHttps, atLeast: "0.95", aim: "1.0" }],
    path: "/",
    headers: ["Connection: close"],
    isVaried: false,
  }),
  answersWork({
    name: "static file of 10 KiB",
    ours: servers.hemiWithFiles("static.conf"),
    peers: [
      { name: "nginx, sendfile", command: (port) => servers.nginxIn(filesFolder())(port), atLeast: "0.9", aim: "1.1" },
    ],
    path: () => fileOf(10 * 1024),
    headers: [],
    isVaried: false,
  }),
  answersWork({
    name: "static file of 100 MiB, one client",
    ours: servers.hemiWithFiles("static.conf"),
    peers: [
      { name: "nginx, sendfile", command: (port) => servers.nginxIn(filesFolder())(port), atLeast: "0.65", aim: "0.9" },
    ],
    path: () => fileOf(100 * 1024 * 1024),
    headers: [],
    isVaried: false,
    connections: 1,
  }),
  // Each against the peer that does the same to the globals: its default is to override them, ours is not to.
  answersWork({
    name: "Hono's hello inside fetchHandlet, globals overridden",
    ours: servers.hemiWithApp("hono-overriding.conf"),
    peers: [{ name: "@hono/node-server", command: servers.node("hono-node.ts"), atLeast: "1.0", aim: "1.3" }],
    path: "/",
    headers: [],
    isVaried: false,
  }),
  answersWork({
    name: "Hono's hello inside fetchHandlet, globals kept",
    ours: servers.hemiWithApp("hono.conf"),
    peers: [{ name: "@hono/node-server", command: servers.node("hono-node.ts", "keep"), atLeast: "1.0", aim: "1.3" }],
    path: "/",
    headers: [],
    isVaried: false,
  }),
  answersWork({
    name: "Express's hello inside nodeHandlet",
    ours: servers.hemiWithApp("express.conf"),
    peers: [{ name: "Express on node:http", command: servers.node("express-node.ts"), atLeast: "0.9", aim: "1.1" }],
    path: "/",
    headers: [],
    isVaried: false,
  }),
  answersWork({
    name: "10 KiB of HTML compressed by gzip level 1, not cached",
    ours: servers.hemiWithPage("compressed.conf"),
    peers: [{ name: "nginx", command: servers.nginx, path: "/compressed/page.html", atLeast: "0.6", aim: "0.9" }],
    path: "/page.html",
    headers: ["Accept-Encoding: gzip"],
    isVaried: false,
  }),
  answersWork({
    name: "10 KiB of HTML compressed by gzip, from the cache",
    ours: servers.hemiWithPage("compressed-cached.conf"),
    peers: [{ name: "nginx", command: servers.nginx, path: "/compressed/page.html", atLeast: "5", aim: "10" }],
    path: "/page.html",
    headers: ["Accept-Encoding: gzip"],
    isVaried: false,
  }),
];

function answersWork({
  name,
  ours,
  peers,
  path: pathOf,
  headers,
  isVaried,
  scheme = "http",
  connections,
}: AnswersWork): Work {
  return {
    name,
    needs: scheme === "https" ? ["wrk", "openssl"] : ["wrk"],
    async run(settings: Settings) {
      const path = typeof pathOf === "string" ? pathOf : pathOf();
      await using our = await startServer(ours);
      const results: Result[] = [];
      for (const peer of peers) {
        if (peer.name.startsWith("nginx") && findProgram("nginx") === undefined) {
          results.push({ ...peer, against: peer.name, ours: "", theirs: "", figure: "not measured: nginx missing" });
          continue;
        }
        await using their = await startServer(peer.command);
        results.push(
          toResult(
            peer,
            await compare(our, their, {
              ...settings,
              path,
              theirPath: peer.path ?? path,
              scheme,
              headers,
              isVaried,
              connections,
            }),
          ),
        );
      }
      return results;
    },
  };
}

function toResult({ name, atLeast, aim }: Peer, { ours, theirs, ratio, spread }: Comparison): Result {
  const [low, high] = spread;
  return {
    against: name,
    ours: `${Math.round(ours)}/s`,
    theirs: `${Math.round(theirs)}/s`,
    figure: `${ratio.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`,
    atLeast,
    aim,
  };
}
