// A stage with a dnsBackend behind a udpsRouter and a tcpsRouter, and clients that ask it.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { bootWith, MemorySink, openErrorLog, type RouterPart } from "@hemi/internal";
import { decode, encode, type DecodedPacket, type OptAnswer, type Packet } from "dns-packet";
import { framed, FrameReader } from "../message/frames.ts";
import contrib from "../index.ts";

/** `servers`: the port of name servers; 0 for none. `router`: further props of the routers. */
export async function resolve(
  props: string,
  servers = 0,
  dealet = "",
  router: Partial<Record<"udp" | "tcp", string>> = {},
) {
  const sink = new MemorySink();
  const backends =
    servers === 0
      ? ""
      : `udpsBackend "servers" { .nodes = (["address": "127.0.0.1:${servers}"]) }
         tcpsBackend "overTcp" { .nodes = (["address": "127.0.0.1:${servers}"]) }`;
  const toServers = servers === 0 ? "" : '.forwardTo = "servers" .forwardOverTcp = "overTcp"';
  const taking = (dealet: string) => `case { dnsDealet { .toBackend = "names" ${dealet} } }`;
  const config = (dealet: string) => `stage { ${backends}
    dnsBackend "names" { ${toServers} ${props} }
    udpsRouter "udp" { .address = "127.0.0.1:0" ${router.udp ?? ""} ${taking(dealet)} }
    tcpsRouter "tcp" { .address = "127.0.0.1:0" ${router.tcp ?? ""} ${taking(dealet)} } }`;
  const stage = await bootWith([contrib]).bootText(config(dealet), { log: openErrorLog({ sink }) });
  await stage.start();
  const portOf = (path: string): number => {
    const { listensOn: [address = ""] = [] }: RouterPart = stage.find(path)?.part ?? {};
    return Number(address.split(":")[1]);
  };
  const [udp, tcp] = [portOf("udpsRouter.udp"), portOf("tcpsRouter.tcp")];
  return {
    stage,
    log: sink.lines,
    /** With other props of the dealets. */
    reload: (next: string) => stage.reload({ text: config(next) }),
    udp,
    tcp,
    /** The reply to a question over UDP. */
    ask: (question: string, more: Partial<Packet> = {}) => askByDatagram(udp, question, more),
    /** What comes back for a datagram within `patience` ms; `undefined`: nothing. */
    async raw(datagram: Buffer, patience = 5000): Promise<Buffer | undefined> {
      const socket = createSocket("udp4");
      socket.connect(udp, "127.0.0.1", () => socket.send(datagram));
      const signal = AbortSignal.timeout(patience);
      const [answer] = (await once(socket, "message", { signal }).catch(() => [])) as [Buffer?];
      socket.close();
      return answer;
    },
    /** The replies to questions that are sent at once over TCP, split into pieces of `size` bytes. */
    async askByStream(questions: readonly string[], size = 65_536): Promise<readonly Reply[]> {
      const socket = connect({ port: tcp, host: "127.0.0.1", noDelay: true });
      const replies: Reply[] = [];
      const { promise, resolve: done } = Promise.withResolvers<void>();
      const frames = new FrameReader((message) => {
        if (replies.push(decode(message) as Reply) === questions.length) done();
      });
      socket.on("data", (bytes) => frames.add(bytes)).on("close", () => done());
      const all = Buffer.concat(questions.map((question, i) => framed(queryFor(question, { id: i }))));
      for (let at = 0; at < all.length; at += size) socket.write(all.subarray(at, at + size));
      await promise;
      socket.destroy();
      return replies;
    },
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

/** `www.example A`, as a message. */
export function queryFor(question: string, more: Partial<Packet> = {}): Buffer {
  const [name = "", type = "A"] = question.split(" ");
  const questions = [{ name, type: type as "A" }];
  return encode({ type: "query", id: 7, flags: 0x100, questions, ...more });
}

/** The types of `dns-packet` do not have the result. */
export type Reply = DecodedPacket & { readonly rcode: string };

/** EDNS, as the additional record of a query. */
export function edns(udpPayloadSize: number, ednsVersion = 0): Partial<Packet> {
  const record: OptAnswer = {
    type: "OPT",
    name: ".",
    udpPayloadSize,
    extendedRcode: 0,
    ednsVersion,
    flags: 0,
    flag_do: false,
    options: [],
  };
  return { additionals: [record] };
}

async function askByDatagram(port: number, question: string, more: Partial<Packet>): Promise<Reply> {
  const socket = createSocket("udp4");
  socket.connect(port, "127.0.0.1", () => socket.send(queryFor(question, more)));
  const [answer] = (await once(socket, "message")) as [Buffer];
  socket.close();
  return decode(answer) as Reply;
}
