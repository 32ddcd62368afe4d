// Memory that idle keep-alive connections take.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { startServer, type ServerProcess } from "../server-process.ts";
import * as servers from "../servers/commands.ts";
import type { Work } from "../work.ts";

const count = 10_000;

/** A request on a connection that is kept. */
export const get = Buffer.from("GET / HTTP/1.1\r\nhost: a.example\r\n\r\n");

/** The preface, empty SETTINGS, their acknowledgement, and a GET of `/` with `:authority: a.example`. */
const getByHttp2 = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Buffer.from("000000040000000000000000040100000000", "hex"),
  Buffer.from("00000e010500000001828684" + "4109612e6578616d706c65", "hex"),
]);

export const idleMemory = idleMemoryWork(`memory for each of ${count} idle connections`, get, "7 KB", "6 KB");
export const idleHttp2Memory = idleMemoryWork(
  `memory for each of ${count} idle HTTP/2 connections`,
  getByHttp2,
  "16 KB",
  "10 KB",
);

function idleMemoryWork(name: string, request: Buffer, atLeast: string, aim: string): Work {
  return {
    name,
    needs: [],
    async run() {
      await using server = await startServer(servers.hemi("return-text.conf"));
      // Warmed up, so that what the first requests cost once is not counted.
      await open(server, request, 200);
      const before = server.memory();
      const sockets = await open(server, request, count);
      const each = (server.memory() - before) / count;
      for (const socket of sockets) socket.destroy();
      const figure = `${(each / 1024).toFixed(1)} KiB`;
      return [{ against: "", ours: figure, theirs: "", figure, atLeast, aim }];
    },
  };
}

/** Opens connections, a few at a time, and has each answered once. */
export async function open(server: ServerProcess, request: Buffer, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(100, count - sockets.length) }, () => connect(server.port, "127.0.0.1"));
    await Promise.all(
      some.map(async (socket) => {
        await once(socket, "connect");
        socket.write(request);
        await answered(socket);
      }),
    );
    sockets.push(...some);
  }
  return sockets;
}

/** Until the text of the answer has come. */
async function answered(socket: Socket): Promise<void> {
  let received = "";
  while (!received.includes("hello, world!")) {
    const [piece] = (await once(socket, "data")) as [Buffer];
    received += piece.toString("latin1");
  }
}
