// A stand-in for an application: an HTTP server that answers with what it was asked for.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";

export interface StandIn extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly address: string;
}

/**
 * Answers with its name, the method and the target, and with each of these fields of the request that came; with 200,
 * or with the status that the query asks for: `?status=404`; with `?accel=/path` it has that path sent in its place. An
 * upgrade to `websocket` is granted: the same text is
 * sent as bytes behind the 101.
 */
export async function startStandIn(name: string, fields: readonly string[]): Promise<StandIn> {
  const toldOf = (req: IncomingMessage): string =>
    [
      `${name}: ${req.method} ${req.url}`,
      ...fields.flatMap((field) =>
        req.headers[field] === undefined ? [] : [`${field}: ${String(req.headers[field])}`],
      ),
    ].join("\n");
  const server = createServer((req, resp) => {
    const query = new URL(req.url ?? "/", "http://stand-in").searchParams;
    const inside = query.get("accel");
    resp.writeHead(Number(query.get("status") ?? 200), {
      "content-type": "text/plain",
      ...(inside !== null && { "x-accel-redirect": inside }),
    });
    // The content may be large: it is taken, and counted.
    let size = 0;
    req.on("data", (piece: Buffer) => (size += piece.length));
    req.on("end", () => resp.end(`${toldOf(req)}${size > 0 ? `\n${size} bytes` : ""}`));
  });
  server.on("upgrade", (req, socket) => {
    const key = `${String(req.headers["sec-websocket-key"])}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash("sha1").update(key).digest("base64");
    const head = `upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}`;
    socket.end(`HTTP/1.1 101 Switching Protocols\r\n${head}\r\n\r\n${toldOf(req)}`);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  return {
    address: `127.0.0.1:${bound !== null && typeof bound === "object" ? bound.port : 0}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
