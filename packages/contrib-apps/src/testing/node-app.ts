// A (req, res) app that a test puts another one into.

import type { NodeApp } from "../index.ts";

export const current: { app: NodeApp } = { app: () => {} };

const app: NodeApp = (req, res, next) => current.app(req, res, next);

export default app;
