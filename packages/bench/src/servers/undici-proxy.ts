// The peer from undici: the fastest way to proxy that Node.js has, behind node:http.

import { createServer } from "node:http";
import { Pool } from "undici";

const pool = new Pool(`http://127.0.0.1:${process.env["BACKEND_PORT"]}`, { connections: 64 });

createServer((req, res) => {
  const hasContent = req.headers["content-length"] !== undefined || req.headers["transfer-encoding"] !== undefined;
  const { connection: _, ...headers } = req.headers;
  const forwarded = { ...headers, "x-forwarded-for": req.socket.remoteAddress ?? "" };
  const options = { path: req.url ?? "/", method: "GET", headers: forwarded, body: hasContent ? req : null } as const;
  pool
    .stream(options, ({ statusCode, headers: { connection: _, "keep-alive": __, ...fields } }) => {
      res.writeHead(statusCode, fields);
      return res;
    })
    .catch(() => res.destroy());
}).listen(Number(process.env["PORT"]), "127.0.0.1");
