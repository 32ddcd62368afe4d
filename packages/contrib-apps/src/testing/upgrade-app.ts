// An app with upgrades that a test puts another one into.

import type { NodeApp, NodeUpgradeListener } from "../index.ts";

export const current: { upgrade: NodeUpgradeListener } = { upgrade: () => {} };

const app: NodeApp = (_req, res) => res.end("a page");

export const upgrade: NodeUpgradeListener = (req, socket, head) => current.upgrade(req, socket, head);

export default app;
