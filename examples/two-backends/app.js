// One of the servers behind the proxy, in plain Node.js: it counts the visits of each session, and keeps a room for
// talking, both in its
// own memory. `node app.js NAME PORT`

import { createServer } from "node:http";
import { WebSocketServer } from "ws";

const [, , name = "one", port = "3083"] = process.argv;
const visits = new Map();

const server = createServer((req, res) => {
  if (req.url === "/health") return res.end("well");
  const [, known] = /(?:^|; )session=(\w+)/.exec(req.headers.cookie ?? "") ?? [];
  const session = known ?? Math.random().toString(36).slice(2);
  const count = (visits.get(session) ?? 0) + 1;
  visits.set(session, count);
  if (known === undefined) res.setHeader("set-cookie", `session=${session}; HttpOnly; Path=/`);
  res.setHeader("content-type", "application/json");
  return res.end(JSON.stringify({ app: name, path: req.url, visits: count }));
});

const room = new WebSocketServer({ server, path: "/room", maxPayload: 4096 });
let guests = 0;

function tellAll(said) {
  for (const guest of room.clients) guest.send(JSON.stringify(said));
}

room.on("connection", (ws) => {
  const from = `guest ${++guests}`;
  ws.on("message", (text) => tellAll({ from, text: text.toString() }));
  ws.on("close", () => tellAll({ present: room.clients.size }));
  // A close tells the rest.
  ws.on("error", () => undefined);
  tellAll({ present: room.clients.size });
});

server.listen(Number(port), "127.0.0.1", () => console.log(`${name} listens on ${server.address().port}`));
