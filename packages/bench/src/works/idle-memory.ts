// Memory that idle keep-alive connections take.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { startServer, type ServerProcess } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import type { Work } from "../work.ts";

const count = 10_000;

export const idleMemory: Work = {
  name: `memory for each of ${count} idle connections`,
  needs: [],
  async run() {
    await using server = await startServer(servers.hemi("return-text.conf"));
    // Warmed up, so that what the first requests cost once is not counted.
    await open(server, 200);
    const before = server.memory();
    const sockets = await open(server, count);
    const each = (server.memory() - before) / count;
    for (const socket of sockets) socket.destroy();
    const figure = `${(each / 1024).toFixed(1)} KiB`;
    return [{ against: "", ours: figure, theirs: "", figure, atLeast: "9 KB", aim: "6 KB" }];
  },
};

/** Opens connections, a few at a time, and has each answered once. */
async function open(server: ServerProcess, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(100, count - sockets.length) }, () => connect(server.port, "127.0.0.1"));
    await Promise.all(
      some.map(async (socket) => {
        await once(socket, "connect");
        socket.write("GET / HTTP/1.1\r\nhost: a.example\r\n\r\n");
        await once(socket, "data");
      }),
    );
    sockets.push(...some);
  }
  return sockets;
}
