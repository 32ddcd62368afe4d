// A load of datagrams, as a process of its own: clients that each send the next one when the last was answered. Prints
// how many were answered in a second. usage: node datagram-load.ts PORT SECONDS CLIENTS

import { createSocket } from "node:dgram";

const [port = 0, seconds = 1, clients = 64] = process.argv.slice(2).map(Number);
const datagram = Buffer.alloc(64, "x");
let answered = 0;

for (let i = 0; i < clients; i++) {
  const socket = createSocket("udp4");
  let last = answered;
  let own = 0;
  socket.on("message", () => {
    answered++;
    own++;
    socket.send(datagram);
  });
  // What was lost is sent again.
  setInterval(() => {
    if (own === last) socket.send(datagram);
    last = own;
  }, 200);
  socket.connect(port, "127.0.0.1", () => socket.send(datagram));
}

const warmUp = 500;
setTimeout(() => {
  const before = answered;
  setTimeout(() => {
    console.log((answered - before) / seconds);
    process.exit();
  }, seconds * 1000);
}, warmUp);
