// Health checks of nodes that answer datagrams.

import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import { randomInt } from "node:crypto";
import { isIPv6 } from "node:net";
import type { Probe } from "../../backend/active-health.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { numericOnly } from "../../net/datagram-sockets.ts";

export const probeProps = {
  /**
   * Whether each node is checked at intervals. `dns` asks for the name servers of the root, and expects an answer,
   * whatever it says. `expect` sends `healthSend`, and expects a datagram that contains `healthExpect`. An unhealthy
   * node gets no sessions until it has recovered.
   */
  healthCheck: prop.choice(["off", "dns", "expect"], { default: "off" }),
  /** With `healthCheck = "expect"`: what is sent. */
  healthSend: prop.string({ default: "", reload: "live" }),
  /** With `healthCheck = "expect"`: a text that has to be in the answer. "": any answer will do. */
  healthExpect: prop.string({ default: "", reload: "live" }),
};

export function probesOf(
  settings: Pick<PropsOf<typeof probeProps>, "healthSend" | "healthExpect">,
): Readonly<Record<string, Probe>> {
  return {
    dns: (...target) => {
      const query = rootQuery(randomInt(65_536));
      // The same id, and the bit of a response (RFC 1035 4.1.1).
      const isAnswer = (bytes: Buffer): boolean =>
        bytes.length >= 12 && bytes.readUInt16BE(0) === query.readUInt16BE(0) && bytes.readUInt8(2) >= 0x80;
      return askByDatagram(query, isAnswer, ...target);
    },
    expect: (...target) =>
      askByDatagram(Buffer.from(settings.healthSend), (bytes) => bytes.includes(settings.healthExpect), ...target),
  };
}

/** `. NS` (RFC 1035 4.1), which every server of DNS can answer, or refuse. */
function rootQuery(id: number): Buffer {
  const query = Buffer.from("0000010000010000000000000000020001", "hex");
  query.writeUInt16BE(id);
  return query;
}

/** Sends a datagram to a node, and waits for an answer. Resolves as a `Probe` does. */
export function askByDatagram(
  datagram: Buffer,
  isAnswer: (bytes: Buffer) => boolean,
  ...[{ address }, timeout, signal]: Parameters<Probe>
): Promise<string | undefined> {
  return new Promise((resolve) => {
    if ("path" in address) return resolve("it has no port");
    const socket = createSocket({ type: isIPv6(address.host) ? "udp6" : "udp4", lookup: numericOnly });
    let isOver = false;
    const end = (failure: string | undefined): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      socket.close();
      resolve(failure);
    };
    const aborted = (): void => end("the check was given up");
    const timer = setTimeout(() => end(`it did not answer as expected within ${timeout} ms`), timeout);
    signal.addEventListener("abort", aborted);
    socket.on("message", (bytes) => (isAnswer(bytes) ? end(undefined) : undefined));
    socket.on("error", (error) => end(error.message));
    socket.connect(address.port, address.host, () => socket.send(datagram));
  });
}
