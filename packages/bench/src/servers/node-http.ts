// The peer from Node.js: what `node:http` makes of a 13-byte answer.

import { createServer } from "node:http";

createServer((_req, res) => {
  res.setHeader("content-type", "text/plain; charset=utf-8");
  res.setHeader("content-length", 13);
  res.end("hello, world!");
}).listen(Number(process.env["PORT"]), "127.0.0.1");
