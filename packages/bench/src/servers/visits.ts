// What the Express peers of sessions do: each request reads the session of its client, and changes it.

import type { Express } from "express";

declare module "express-session" {
  interface SessionData {
    visits: number;
  }
}

export function countVisits(app: Express): void {
  app.get("/", (req, res) => {
    req.session.visits = (req.session.visits ?? 0) + 1;
    res.send(`visit ${req.session.visits}`);
  });
}
