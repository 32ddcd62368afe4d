// The peer that most programs use: http-proxy, with an agent that keeps connections.

import { Agent, createServer } from "node:http";
import httpProxy from "http-proxy";

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${process.env["BACKEND_PORT"]}`,
  agent,
  xfwd: true,
});
proxy.on("error", (_error, _req, res) => res.destroy());

createServer((req, res) => proxy.web(req, res)).listen(Number(process.env["PORT"]), "127.0.0.1");
