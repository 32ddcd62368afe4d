// A proxy before a node at a port of this machine, and nodes that do as much as a test needs, or the wrong thing.

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { bootWith, MemorySink, openErrorLog, type Metrics, type RouterPart } from "@hemi/internal";
import contrib from "../index.ts";

/** Gives each piece that it receives to `answer`. */
export async function fakeNode(answer: (received: string, socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined).on("close", () => sockets.delete(socket)));
    socket.on("data", (bytes) => answer(bytes.toString("latin1"), socket));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: address !== null && typeof address === "object" ? address.port : 0,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

export interface Around {
  /** More nodes. */
  readonly nodes?: string;
  readonly backends?: string;
  /** Props of the router. */
  readonly router?: string;
  readonly metrics?: Metrics;
}

export async function proxy(
  port: number,
  props = "",
  { nodes = "", backends = "", router = "", metrics }: Around = {},
) {
  const sink = new MemorySink();
  const config = (more: string) => `stage {
    tcpsBackend "redis" { .nodes = (["address": "127.0.0.1:${port}"]${nodes}) }
    ${backends}
    tcpsRouter "main" { .address = "127.0.0.1:0" ${router} case { redisProxy { .toBackend = "redis" ${more} } } }
  }`;
  const stage = await bootWith([contrib]).bootText(config(props), {
    log: openErrorLog({ sink }),
    ...(metrics !== undefined && { metrics }),
  });
  await stage.start();
  const { listensOn: [address = ""] = [] }: RouterPart = stage.find("tcpsRouter.main")?.part ?? {};
  return {
    stage,
    log: sink.lines,
    /** With other props of the proxy. */
    reload: (next: string) => stage.reload({ text: config(next) }),
    port: Number(address.split(":")[1]),
    /** What comes until the connection is closed. */
    async talk(lines: string): Promise<string> {
      const socket = connect(Number(address.split(":")[1]), "127.0.0.1");
      socket.end(lines, "latin1");
      return await text(socket);
    },
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}
