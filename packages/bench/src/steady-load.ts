// Clients that ask again and again, some on kept connections, some on a new one each time, and count what fails.

import { connect, type Socket } from "node:net";

export interface SteadyLoad {
  /** Ends it when the requests under way are answered. */
  stop(): Promise<{ readonly answered: number; readonly failed: readonly string[] }>;
}

const request = (connection: string): string =>
  `GET / HTTP/1.1\r\nHost: a.example\r\nConnection: ${connection}\r\n\r\n`;

/** How long a request may take, in milliseconds. */
const maxTime = 10_000;

export function steadyLoad(port: number, { kept, anew }: { readonly kept: number; readonly anew: number }): SteadyLoad {
  const failed: string[] = [];
  let answered = 0;
  let isStopped = false;

  async function client(isKept: boolean): Promise<void> {
    let socket: Socket | undefined;
    while (!isStopped) {
      // A server may close a connection while no request is under way.
      if (socket?.destroyed !== false || socket.readableEnded) {
        socket = connect(port, "127.0.0.1").setNoDelay();
        // It may fail while nobody waits for it.
        socket.on("error", () => {});
      }
      try {
        const isLast = await exchange(socket, request(isKept ? "keep-alive" : "close"));
        answered++;
        if (!isKept || isLast) socket.destroy();
      } catch (error) {
        failed.push(error instanceof Error ? error.message : String(error));
        socket.destroy();
      }
    }
    socket?.destroy();
  }
  const clients = Array.from({ length: kept + anew }, (_, i) => client(i < kept));
  return {
    async stop() {
      isStopped = true;
      await Promise.all(clients);
      return { answered, failed };
    },
  };
}

/** Resolves with whether the server closes the connection. Rejects with what is wrong with the answer. */
function exchange(socket: Socket, head: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let received = "";
    const timer = setTimeout(() => settle(() => reject(new Error("no answer in time"))), maxTime);
    function settle(how: () => void): void {
      clearTimeout(timer);
      socket.off("data", onData).off("end", onEnd).off("error", onError).off("close", onEnd);
      how();
    }
    const onEnd = (): void => settle(() => reject(new Error(received === "" ? "closed without an answer" : "cut")));
    const onError = (error: Error): void => settle(() => reject(error));
    function onData(chunk: Buffer): void {
      received += chunk.toString("latin1");
      const end = received.indexOf("\r\n\r\n");
      if (end < 0) return;
      const [, length = "0"] = /\r\ncontent-length: *(\d+)/i.exec(received.slice(0, end + 2)) ?? [];
      if (received.length < end + 4 + Number(length)) return;
      const isFine = received.startsWith("HTTP/1.1 200 ");
      const isLast = /\r\nconnection: *close\r\n/i.test(received.slice(0, end + 2));
      settle(() => (isFine ? resolve(isLast) : reject(new Error(received.slice(0, 12)))));
    }
    socket.on("data", onData).on("end", onEnd).on("error", onError).on("close", onEnd);
    socket.write(head);
  });
}
