// A name server for tests, which answers as it is told: also late, wrongly, or not at all.

import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { listening } from "@hemi/internal/testing";
import { decode, encode, type Answer, type DecodedPacket, type Packet } from "dns-packet";
import { framed, FrameReader } from "../message/frames.ts";

/** What it answers to a query; `undefined`: nothing. Bytes are sent as they are. */
export type Script = (query: DecodedPacket, raw: Buffer) => Packet | Buffer | undefined;

/** Listens on a free port for datagrams and for connections. */
export async function nameServer(script: Script) {
  const queries: DecodedPacket[] = [];
  const state = { script };
  const reply = (raw: Buffer): Buffer | undefined => {
    const query = decode(raw);
    queries.push(query);
    const answer = state.script(query, raw);
    return answer === undefined || Buffer.isBuffer(answer) ? answer : encode(answer);
  };
  const stream = createServer((socket) => {
    const frames = new FrameReader((raw) => {
      const answer = reply(raw);
      if (answer !== undefined) socket.write(framed(answer));
    });
    socket.on("data", (bytes) => frames.add(bytes));
  });
  const conns = await listening(stream);
  const { port } = conns;
  const datagrams = createSocket("udp4");
  datagrams.on("message", (raw, from: RemoteInfo) => {
    const answer = reply(raw);
    if (answer !== undefined) datagrams.send(answer, from.port, from.address);
  });
  datagrams.bind(port, "127.0.0.1");
  await once(datagrams, "listening");
  return {
    port,
    queries,
    /** From now on, it answers in another way. */
    become(next: Script): void {
      state.script = next;
    },
    async [Symbol.asyncDispose]() {
      datagrams.close();
      await conns[Symbol.asyncDispose]();
    },
  };
}

/** A regular answer with these records. */
export function answering(answers: readonly Answer[], more: Partial<Packet> = {}): Script {
  return ({ id, questions }) => ({ type: "response", id, questions, answers: [...answers], ...more });
}
