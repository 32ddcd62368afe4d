// An Express app that uses what Express apps use.

import compression from "compression";
import express, { type ErrorRequestHandler, type Express } from "express";

const app: Express = express();
app.disable("x-powered-by");
app.set("trust proxy", "loopback");

app.use(compression({ threshold: 100 }));
app.get("/", (_req, res) => void res.send("hello from Express"));
app.get(
  "/users/:id",
  (req, res) => void res.json({ id: req.params.id, query: req.query, host: req.hostname, url: req.originalUrl }),
);
app.get("/ip", (req, res) => void res.json([req.ip, req.protocol, req.secure]));
app.post("/json", express.json(), (req, res) => void res.status(201).json({ got: req.body as unknown }));
app.use("/parsed", express.json());
app.post("/form", express.urlencoded({ extended: true }), (req, res) => void res.json(req.body));
app.post("/bytes", express.raw({ limit: "4mb" }), (req, res) => void res.send(String((req.body as Buffer).length)));
app.get("/long", (_req, res) => void res.type("text").send("long ".repeat(100)));
app.get("/cookies", (_req, res) => res.cookie("a", "1").cookie("b", "2", { httpOnly: true }).redirect("/"));
app.get("/file", (_req, res) => res.sendFile(new URL(import.meta.url).pathname));
app.get("/events", (_req, res) => {
  res.set("content-type", "text/event-stream");
  res.flushHeaders();
  for (let id = 0; id < 3; id++) {
    res.write(`data: ${id}\n\n`);
    res.flush();
  }
  res.end();
});
app.get("/throws", () => {
  throw new Error("a route that throws");
});
app.get("/rejects", async () => Promise.reject(new Error("a route that rejects")));
app.get("/teapot", (_req, _res, next) => {
  next(Object.assign(new Error("short and stout"), { status: 418 }));
});
app.use("/handled", () => {
  throw new Error("handled");
});
const handleError: ErrorRequestHandler = (error: Error, req, res, next) => {
  if (req.path === "/handled") res.status(500).send(`caught ${error.message}`);
  else next(error);
};
app.use(handleError);

export default app;
