// For tests: a site whose one rule caches what a function answers, at a time that the test sets.

import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { Definition } from "../component/definition.ts";
import type { Stage } from "../stage.ts";
import type { Workers } from "../stage/workers.ts";
import type { ServerPart } from "../stage/kinds/server.ts";
import type { CacherPart } from "../web/cache/cacher.ts";
import { managedCache, type ManagedCache } from "../web/cache/managed-cache.ts";
import { defineHandlet, type HandletPart } from "../web/kinds.ts";
import type { Response } from "../web/response/response.ts";
import type { InjectRequest, InjectResponse } from "../web/wires/inject-request.ts";
import { stageAtTime } from "./stage-at-time.ts";

export interface CachedSite extends AsyncDisposable {
  readonly stage: Stage;
  readonly cache: ManagedCache;
  readonly cacher: CacherPart;
  /** Where it listens. */
  readonly port: number;
  /** The lines of the error log. */
  readonly log: readonly string[];
  /** The warnings about its configuration. */
  readonly doubts: readonly string[];
  /** How often the function was asked. */
  asked(): number;
  /** Lets time go on, in seconds. */
  readonly wait: (seconds: number) => void;
  get(url: string, headers?: Readonly<Record<string, string>>): Promise<InjectResponse>;
  ask(request: InjectRequest): Promise<InjectResponse>;
  /** Gives the cacher these props, too. */
  reload(more: string): Promise<unknown>;
}

export interface CachedSiteOptions {
  readonly before?: string;
  readonly behind?: string;
  /** Components of the stage. */
  readonly beside?: string;
  /** The sign of the cacher. Default: memCacher. */
  readonly sign?: string;
  /** Props of the cacher. */
  readonly cacher?: string;
  /** What else the rule consists of. */
  readonly definitions?: readonly Definition[];
  /** Default: one worker. */
  readonly workers?: Workers;
}

/** For the function of a site: answers with a counter, cacheable for a minute. */

export function counting(fields: Readonly<Record<string, string>> = { "cache-control": "max-age=60" }) {
  let count = 0;
  return (_req: unknown, resp: Response): true => {
    for (const [name, value] of Object.entries(fields)) resp.setHeader(name, value);
    resp.send(`answer ${++count}`);
    return true;
  };
}

/** `before` and `behind` are parts of the rule, in the language of configurations; `origin {}` calls the function. */
export async function cachedSite(
  origin: HandletPart["handle"],
  settings = "",
  options: CachedSiteOptions = {},
): Promise<CachedSite> {
  const { before = "", behind = "origin {}", beside = "", definitions = [], workers } = options;
  const { sign = "memCacher", cacher = "" } = options;
  let asked = 0;
  const answers = defineHandlet({
    sign: "origin",
    create: () => ({
      handle(req, resp) {
        asked++;
        return origin(req, resp);
      },
    }),
  });
  const text = (more: string) => `stage {
    ${beside}
    ${sign} "c" { ${cacher} ${more} }
    webapp "site" {
      .hostnames = ("*")
      rule { ${before} cache { .withCacher = "c" ${settings} } ${behind} }
      rule { .returnText = "next rule" }
    }
    httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
  }`;
  const { stage, log, doubts, wait } = await stageAtTime(text(""), [answers, ...definitions], workers);
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const [found] = stage.offering(managedCache);
  const store = stage.find(`${sign}.c`)?.part;
  if (found === undefined || store === undefined || !isCacher(store)) throw new Error("the site has no cache");
  return {
    stage,
    cache: found.part,
    cacher: store,
    port: Number(/:(\d+)$/.exec(listensOn)?.[1] ?? 0),
    log,
    doubts,
    asked: () => asked,
    wait,
    get: (url, headers = {}) => stage.inject({ url: `http://a.example${url}`, headers }),
    ask: (request) => stage.inject(request),
    reload: (more) => stage.reload({ text: text(more) }),
    async [Symbol.asyncDispose]() {
      await setImmediate();
      await stage.quit(1000);
    },
  };
}

/** Cachers and tiers of them, by what a test calls them: the options of a site whose files are in this folder. */
export const cacherTiers: readonly (readonly [name: string, optionsFor: (folder: string) => CachedSiteOptions])[] = [
  ["memory", () => ({})],
  ["disk", (folder) => ({ sign: "diskCacher", cacher: `.folder = "${folder}"` })],
  ["memory over disk", (folder) => ({ cacher: '.over = "low"', beside: `diskCacher "low" { .folder = "${folder}" }` })],
];

/** A site with one of `cacherTiers`, in a folder of its own. */
export async function tieredSite(
  origin: HandletPart["handle"],
  settings: string,
  optionsFor: (folder: string) => CachedSiteOptions,
  more: CachedSiteOptions = {},
): Promise<CachedSite> {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-tiers-"));
  const site = await cachedSite(origin, settings, { ...optionsFor(folder.path), ...more });
  return {
    ...site,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function isCacher(part: object): part is CacherPart {
  return "lookup" in part && "begin" in part;
}
