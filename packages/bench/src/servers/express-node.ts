// The peer from Express: the app on node:http.

import { createServer } from "node:http";
import app from "./express-app.ts";

createServer(app).listen(Number(process.env["PORT"]), "127.0.0.1");
