// Express's own hello, as both sides serve it.

import express, { type Express } from "express";

const app: Express = express();
app.get("/", (_req, res) => {
  res.send("hello, world!");
});

export default app;
