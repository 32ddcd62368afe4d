// A server of one's own: what a client writes, all others read, line by line.

import { createInterface } from "node:readline";
import { ConnServer, connServerProps, defineServer, pack, prop } from "@hemi/hemi";
import type { Socket } from "node:net";

export const chatServer = defineServer({
  sign: "chatServer",
  props: { ...connServerProps, greeting: prop.string({ default: "welcome", reload: "live" }) },
  check: (context) => ConnServer.check(context),
  create(context): ConnServer {
    const members = new Set<Socket>();
    return new ConnServer(context, async ({ socket, client, draining }) => {
      const tell = (text: string): void => {
        // Who does not read misses something.
        for (const member of members) if (member !== socket && !member.writableNeedDrain) member.write(`${text}\n`);
      };
      draining.addEventListener("abort", () => socket.end("the server goes down\n"));
      socket.setTimeout(context.props.idleTimeout, () => socket.destroy());
      socket.write(`${context.props.greeting}\n`);
      members.add(socket);
      tell(`port ${client.port} has come`);
      for await (const line of createInterface({ input: socket })) tell(`port ${client.port}: ${line.slice(0, 1000)}`);
      members.delete(socket);
      tell(`port ${client.port} has left`);
      socket.end();
    });
  },
});

export default pack("chat-server", [chatServer]);
