// Asks for many paths, each once, on some connections: to fill a cache.

import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** The path of the page with this number. */
export function pathOf(number: number): string {
  return `/catalogue/shoes/running/${number}.html`;
}

/** Asks for the pages from 0 on, so many. Throws if one is not answered by 200. */
export async function fill(port: number, count: number): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    while (next < count) {
      const size = Math.min(pipelined, count - next);
      const paths = Array.from({ length: size }, (_, i) => pathOf(next + i));
      next += size;
      const answers = answered(socket, size);
      socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: shop.example\r\n\r\n`).join(""));
      await answers;
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: connections }, work));
}

/** Until so many answers have begun, and the last one has ended. */
async function answered(socket: Socket, count: number): Promise<void> {
  let text = "";
  for (;;) {
    const [piece] = (await once(socket, "data")) as [Buffer];
    text += piece.toString("latin1");
    const answers = text.split("HTTP/1.1 200 OK\r\n").slice(1);
    if (answers.length === count && isComplete(answers.at(-1) ?? "")) return;
    if (/HTTP\/1\.1 [^2]/.test(text)) throw new Error(`a page was refused: ${text.slice(0, 200)}`);
  }
}

function isComplete(answer: string): boolean {
  const [head = "", content = ""] = answer.split("\r\n\r\n", 2);
  const [, size] = /^content-length: (\d+)/im.exec(head) ?? [];
  return content.length === Number(size);
}

const connections = 16;
const pipelined = 32;
