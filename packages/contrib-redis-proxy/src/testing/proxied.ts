// A proxy before a node at a port of this machine, and nodes that do as much as a test needs, or the wrong thing.

import { connect, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { bootWith, MemorySink, openErrorLog, type Metrics, type RouterPart } from "@hemi/internal";
import { listening, type Listening } from "@hemi/internal/testing";
import contrib from "../index.ts";

/** Gives each piece that it receives to `answer`. */
export function fakeNode(answer: (received: string, socket: Socket) => void): Promise<Listening> {
  return listening(createServer((socket) => socket.on("data", (bytes) => answer(bytes.toString("latin1"), socket))));
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
