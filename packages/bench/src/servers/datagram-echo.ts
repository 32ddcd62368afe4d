// Sends back each datagram; by TCP it accepts, so that the bench knows when it is there.

import { createSocket } from "node:dgram";
import { createServer } from "node:net";

const port = Number(process.env["PORT"]);
const socket = createSocket({ type: "udp4", lookup: (address, _options, done) => done(null, address, 4) });
socket.on("message", (bytes, from) => socket.send(bytes, from.port, from.address));
socket.bind(port, "127.0.0.1", () => createServer((conn) => conn.destroy()).listen(port, "127.0.0.1"));
