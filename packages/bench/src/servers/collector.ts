// A collector of traces that reads what it gets, and forgets it.

import { createServer } from "node:http";

createServer((req, response) => {
  req.resume().on("end", () => response.end());
}).listen(Number(process.env["PORT"]), "127.0.0.1");
