// The peer of sessions: Express with express-session, stored in Redis by connect-redis.

import { RedisStore } from "connect-redis";
import express from "express";
import session from "express-session";
import { createClient } from "redis";
import { countVisits } from "./visits.ts";

const client = createClient({ url: `redis://127.0.0.1:${process.env["REDIS_PORT"]}` });
await client.connect();
const app = express();
app.use(session({ store: new RedisStore({ client }), secret: "bench", resave: false, saveUninitialized: false }));
countVisits(app);
app.listen(Number(process.env["PORT"]), "127.0.0.1");
