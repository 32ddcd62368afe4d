import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { bootFile, MemorySink, openErrorLog, type ServerPart } from "@hemi/hemi";
import { expect, test } from "vitest";
import chat from "./chat-server.ts";

test("what one writes, the others read", async () => {
  const config = fileURLToPath(new URL("chat-server.conf", import.meta.url));
  const log = openErrorLog({ sink: new MemorySink() });
  const stage = await bootFile(config, { use: [chat], env: { PORT: "0" }, log });
  await stage.start();
  try {
    const { listensOn: [address = ""] = [] }: ServerPart = stage.find("chatServer.chat")?.part ?? {};
    const join = async () => {
      const socket = connect(Number(address.split(":")[1]), "127.0.0.1");
      const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
      const line = async (): Promise<unknown> => (await lines.next()).value;
      expect(await line()).toBe("welcome to the chat");
      return { socket, line };
    };
    const ann = await join();
    const ben = await join();
    const port = ben.socket.localPort;
    expect(await ann.line()).toBe(`port ${port} has come`);
    ben.socket.write("hello\n");
    expect(await ann.line()).toBe(`port ${port}: hello`);
    ben.socket.end();
    expect(await ann.line()).toBe(`port ${port} has left`);
    await once(ben.socket, "close");
    ann.socket.destroy();
  } finally {
    await stage.quit(1000);
  }
});
