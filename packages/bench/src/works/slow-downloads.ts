// Memory that slow clients of a proxy take: what a proxy reads ahead of them is theirs.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Work } from "../work.ts";
import * as servers from "../servers/commands.ts";
import { largePath, startLargeBackend, startProxy } from "./proxying.ts";

const count = 500;

export const slowDownloads: Work = {
  name: `memory for each of ${count} slow downloads of 100 MiB through a proxy`,
  needs: ["nginx"],
  async run() {
    await using backend = await startLargeBackend();
    await using proxy = await startProxy(servers.hemi("proxy.conf"), backend);
    // Warmed up, so that what the first ones cost once is not counted.
    for (const socket of await begin(proxy.port, 50)) socket.destroy();
    await settled();
    const before = proxy.memory();
    const sockets = await begin(proxy.port, count);
    await settled();
    const each = (proxy.memory() - before) / count;
    for (const socket of sockets) socket.destroy();
    const figure = `${Math.round(each / 1024)} KiB`;
    return [{ against: "", ours: figure, theirs: "", figure, atLeast: "160 KB", aim: "80 KB" }];
  },
};

/** Clients that have taken the beginning, and then take nothing. */
async function begin(port: number, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(`GET ${largePath} HTTP/1.1\r\nhost: a.example\r\n\r\n`);
    await once(socket, "readable");
    // Nobody reads it: what has come fills its buffers, then those of the system.
    sockets.push(socket);
  }
  return sockets;
}

/** Until what is under way has filled all buffers. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2000));
}
