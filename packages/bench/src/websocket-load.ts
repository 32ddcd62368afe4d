// The load of WebSockets, in a process of its own: `PORT CONNECTIONS SECONDS`. Each connection sends a frame whenever
// the answer to its last one is there. Prints the answers a second.

import { once } from "node:events";
import { connect } from "node:net";
import { answerFrame, askFrame } from "./websocket-frames.ts";

const [port = 0, connections = 0, seconds = 0] = process.argv.slice(2).map(Number);

const handshake =
  "GET / HTTP/1.1\r\nhost: bench.example\r\nconnection: Upgrade\r\nupgrade: websocket\r\n" +
  "sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

let answers = 0;

async function open(): Promise<() => void> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.write(handshake);
  const [head] = (await once(socket, "data")) as [Buffer];
  if (!head.toString("latin1").startsWith("HTTP/1.1 101 ")) throw new Error(`no WebSocket: ${head.toString("latin1")}`);
  let received = 0;
  socket.on("data", (chunk) => {
    received += chunk.length;
    for (; received >= answerFrame.length; received -= answerFrame.length) {
      answers++;
      socket.write(askFrame);
    }
  });
  return () => socket.write(askFrame);
}

const begin = await Promise.all(Array.from({ length: connections }, open));
for (const ask of begin) ask();
const began = performance.now();
setTimeout(() => {
  console.log(Math.round((answers * 1000) / (performance.now() - began)));
  process.exit();
}, seconds * 1000);
