// One of the servers behind the proxy, in plain Node.js: it counts the visits of each session, in its own memory.

import { createServer, type Server } from "node:http";

/** Starts one; `name` tells them apart. */
export function startApp(name: string, port: number): Promise<Server> {
  const visits = new Map<string, number>();
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
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

if (import.meta.main) {
  await startApp("one", Number(process.env["APP_1"] ?? 3083));
  await startApp("two", Number(process.env["APP_2"] ?? 3084));
}
