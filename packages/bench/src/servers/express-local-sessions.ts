// The peer of sessions on one machine: Express with express-session, stored by better-sqlite3.

import Database from "better-sqlite3";
import makeStore from "better-sqlite3-session-store";
import express from "express";
import session from "express-session";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countVisits } from "./visits.ts";

const client = new Database(join(mkdtempSync(join(tmpdir(), "hemi-bench-sessions-")), "sessions.sqlite"));
// As its documentation says for servers.
client.pragma("journal_mode = WAL");
const Store = makeStore(session);
const app = express();
app.use(session({ store: new Store({ client }), secret: "bench", resave: false, saveUninitialized: false }));
countVisits(app);
app.listen(Number(process.env["PORT"]), "127.0.0.1");
