// The peer from Node.js: what `node:http2` makes of a 13-byte answer. Its argument is the folder of the certificate.

import { readFileSync } from "node:fs";
import { createSecureServer } from "node:http2";
import { join } from "node:path";

const pem = readFileSync(join(process.argv[2] ?? ".", "server.pem"));

createSecureServer({ cert: pem, key: pem }, (_req, res) => {
  res.setHeader("content-type", "text/plain; charset=utf-8");
  res.setHeader("content-length", 13);
  res.end("hello, world!");
}).listen(Number(process.env["PORT"]), "127.0.0.1");
