// What a (req, res) app is, and how those of the frameworks are made one.

import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type Module, PropError } from "@hemi/internal";
import { isObject } from "./load-app.ts";

/**
 * The listener of a "request". What it returns counts only as far as it is a promise that rejects. `next` is there with
 * `passOn`.
 */
export type NodeApp = (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void) => unknown;

/** The listener of an "upgrade". What it returns counts only as far as it is a promise that rejects. */
export type NodeUpgradeListener = (req: IncomingMessage, socket: Duplex, head: Buffer) => unknown;

/**
 * The export `upgrade` of a module, or else the listeners of "upgrade" at the `server` of its app, which
 * `@fastify/websocket` and others put there. `undefined` if there is neither. Rejects with HEMI_MODULE for an export
 * that is no function. For apps that are ready.
 */
export async function findUpgrade(module: Module): Promise<NodeUpgradeListener | undefined> {
  const namespace = await module.load();
  if (!isObject(namespace)) return undefined;
  const listener = namespace["upgrade"];
  if (listener === undefined) return findServerUpgrade(await namespace["default"]);
  if (typeof listener === "function") return listener as NodeUpgradeListener;
  throw new PropError(
    "module",
    "HEMI_MODULE",
    `the module ${module.file} must export a function as upgrade, or nothing`,
  );
}

function findServerUpgrade(app: unknown): NodeUpgradeListener | undefined {
  const server: unknown = isObject(app) || typeof app === "function" ? Reflect.get(app, "server") : undefined;
  if (!(server instanceof EventEmitter) || server.listenerCount("upgrade") === 0) return undefined;
  return (req, socket, head) => void server.emit("upgrade", req, socket, head);
}

/** A function is one as it is: that of Express, and of many others. An app of Koa or Fastify is asked for its own. */
export async function findNodeApp(exported: unknown): Promise<NodeApp | undefined> {
  if (typeof exported === "function") return exported as NodeApp;
  if (!isObject(exported)) return undefined;
  if (typeof exported["callback"] === "function") return (exported as { callback(): NodeApp }).callback();
  if (typeof exported["ready"] === "function" && typeof exported["routing"] === "function") {
    const app = exported as { ready(): PromiseLike<unknown>; routing: NodeApp };
    await app.ready();
    return (req, res) => app.routing(req, res);
  }
  return undefined;
}
