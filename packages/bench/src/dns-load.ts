// A load of DNS queries, as a process of its own: clients that each ask again when they were answered. Prints how many
// answers came in a second. usage: node dns-load.ts PORT SECONDS CLIENTS

import { createSocket } from "node:dgram";

const [port = 0, seconds = 1, clients = 64] = process.argv.slice(2).map(Number);
// `a.test A`, with recursion desired.
const query = Buffer.from("000101000001000000000000016104746573740000010001", "hex");
let answered = 0;

for (let i = 0; i < clients; i++) {
  const socket = createSocket("udp4");
  let own = 0;
  let last = -1;
  const ask = (): void => socket.send(query);
  socket.on("message", (answer) => {
    // One record: it is no refusal.
    if (answer.readUInt16BE(6) > 0) answered++;
    own++;
    ask();
  });
  // What was lost is asked again.
  setInterval(() => {
    if (own === last) ask();
    last = own;
  }, 200);
  socket.connect(port, "127.0.0.1", ask);
}

const warmUp = 500;
setTimeout(() => {
  const before = answered;
  setTimeout(() => {
    console.log((answered - before) / seconds);
    process.exit();
  }, seconds * 1000);
}, warmUp);
