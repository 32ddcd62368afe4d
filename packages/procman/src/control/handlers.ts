// The actions as functions, and what clients may send to them.

import { HemiError } from "@hemi/hemi/base";
import { readAdviceOrder } from "../advise/advise.ts";
import { readBackendChoice, readNodeChange } from "../backends/backend-actions.ts";
import { readCachedUrl, readPurgeOrder } from "../caches/cache-actions.ts";
import { readChosenCronjobs, readCronPreview, readNamedCronjob } from "../cron/cron-actions.ts";
import { readLevelOrder } from "../observe/level-order.ts";
import { readLogOrder } from "../observe/log-order.ts";
import { readMeasurementOrder } from "../observe/measurement.ts";
import { readProfileOrder } from "../observe/profile-order.ts";
import type { Actions } from "./actions.ts";
import { readHeaderLists } from "./header-lists.ts";

export type ActionHandlers = {
  readonly [Name in keyof Actions]: (
    params: Actions[Name]["params"],
  ) => Actions[Name]["result"] | Promise<Actions[Name]["result"]>;
};

/** Those of a program that does not have all of them. */
export type SomeActionHandlers = {
  readonly [Name in keyof Actions]?: (
    params: Actions[Name]["params"],
  ) => Actions[Name]["result"] | Promise<Actions[Name]["result"]>;
};

/** Does what a client asks for. Its parameters may be anything. */
export type Act = (name: string, params: unknown) => Promise<unknown>;

/** Checks the parameters, which may be anything, and calls the action. Rejects with HEMI_USAGE for what is none. */
export async function callAction(handlers: SomeActionHandlers, name: string, params: unknown): Promise<unknown> {
  if (!isAction(handlers, name)) throw new HemiError("HEMI_USAGE", `there is no action ${name}`);
  return await callHandler(handlers, name, params);
}

function isAction(handlers: SomeActionHandlers, name: string): name is keyof Actions {
  return Object.hasOwn(handlers, name);
}

function callHandler<Name extends keyof Actions>(handlers: SomeActionHandlers, name: Name, params: unknown): unknown {
  return handlers[name]?.(readers[name](params));
}

const none = (): undefined => undefined;

/** Check what a client sends. */
const readers: { readonly [Name in keyof Actions]: (params: unknown) => Actions[Name]["params"] } = {
  pids: none,
  leader: none,
  workers: none,
  version: none,
  explain: readExplainParams,
  plan: (params) => textsOf(fieldsOf(params), ["config"]),
  reload: (params) => ({ rework: fieldsOf(params)["rework"] === true }),
  rework: (params) => reworkParams(fieldsOf(params)),
  webUI: none,
  reopen: none,
  counts: none,
  profile: readProfileOrder,
  measure: readMeasurementOrder,
  advise: readAdviceOrder,
  backends: readBackendChoice,
  steerNode: readNodeChange,
  logLevel: readLevelOrder,
  trace: readStoryOrder,
  logs: readLogOrder,
  cachePurge: readPurgeOrder,
  cacheExplain: readCachedUrl,
  cronList: none,
  cronPreview: readCronPreview,
  cronRun: readNamedCronjob,
  cronHistory: readChosenCronjobs,
  quit: none,
  stop: none,
};

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(params: unknown): Fields {
  return typeof params === "object" && params !== null ? { ...params } : {};
}

/** Those of the fields that are there. */
function textsOf<const Name extends string>(fields: Fields, names: readonly Name[]): { readonly [N in Name]?: string } {
  const texts: { [N in Name]?: string } = {};
  for (const name of names) {
    const value = fields[name];
    if (value === undefined) continue;
    if (typeof value !== "string") throw new HemiError("HEMI_USAGE", `${name} is a text`);
    texts[name] = value;
  }
  return texts;
}

function readStoryOrder(params: unknown): Actions["trace"]["params"] {
  const { requestId } = textsOf(fieldsOf(params), ["requestId"]);
  if (requestId === undefined) throw new HemiError("HEMI_USAGE", "trace needs the id of a request");
  return { requestId };
}

function reworkParams({ slot, leader }: Fields): Actions["rework"]["params"] {
  if (slot === undefined) return { leader: leader === true };
  if (typeof slot !== "number" || !Number.isInteger(slot) || slot < 0)
    throw new HemiError("HEMI_USAGE", "slot is the number of a worker");
  return { slot };
}

/** Throws HEMI_USAGE. */
export function readExplainParams(params: unknown): Actions["explain"]["params"] {
  const fields = fieldsOf(params);
  const { url, ...others } = textsOf(fields, ["method", "url", "from", "server"]);
  if (url === undefined) throw new HemiError("HEMI_USAGE", "explain needs a url");
  return { url, headers: readHeaderLists(fields["headers"]), ...others };
}
