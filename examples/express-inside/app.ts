// An Express app without changes. Instead of `app.listen`, it is exported.

import compression from "compression";
import express, { type Express } from "express";

const notes = ["buy milk"];

const app: Express = express();
app.disable("x-powered-by");
app.use(compression());

app.get("/", (req, res) => {
  res.send(`<title>Express inside Hemi</title><p>hello, ${String(req.ip)}</p>`);
});
app.get("/notes", (_req, res) => {
  res.json(notes);
});
app.get("/notes/:id", (req, res, next) => {
  const text = notes[Number(req.params.id) - 1];
  if (text === undefined) next();
  else res.json({ text });
});
app.post("/notes", express.json({ limit: "10kb" }), (req, res) => {
  const { text } = req.body as { text?: unknown };
  if (typeof text === "string")
    res
      .status(201)
      .location(`/notes/${notes.push(text)}`)
      .json({ text });
  else res.status(400).json({ error: "a note is a text" });
});
app.get("/poem", (_req, res) => {
  res.type("text").send("A rose is a rose is a rose.\n".repeat(200));
});

export default app;
