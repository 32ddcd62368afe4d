// How often the backend is asked when many clients want one cold object at once.

import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { startServer } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import type { Work } from "../work.ts";

const clients = 1000;
/** In milliseconds, until the backend answers: all clients have asked before. */
const slowness = 2000;

export const coldObject: Work = {
  name: `${clients} clients ask at once for one cold, slow object`,
  needs: [],
  async run() {
    let asked = 0;
    await using backend = createServer((_req, resp) => {
      asked++;
      setTimeout(() => resp.setHeader("cache-control", "max-age=60").end("slow"), slowness);
    }).listen(0, "127.0.0.1");
    await once(backend, "listening");
    const address = backend.address();
    const port = typeof address === "object" ? address?.port : undefined;
    await using server = await startServer(servers.hemi("cached.conf"), { env: { BACKEND_PORT: String(port) } });
    await Promise.all(Array.from({ length: clients }, () => answered(server.port)));
    const figure = `${asked} ${asked === 1 ? "fetch" : "fetches"}`;
    return [{ against: "fetches at the backend", ours: figure, theirs: "", figure, atLeast: "1", aim: "1" }];
  },
};

/** Throws if it is not answered. */
async function answered(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n");
  const answer = Buffer.concat(await socket.toArray()).toString();
  if (!answer.endsWith("\r\n\r\nslow")) throw new Error(`a client was answered by ${answer}`);
}
