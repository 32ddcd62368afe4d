// For tests: a site whose one rule caches what a function answers, at a time that the test sets.

import { setImmediate } from "node:timers/promises";
import { makeBoot } from "../boot.ts";
import { pack } from "../component/pack.ts";
import type { Definition } from "../component/definition.ts";
import { corePack } from "../core-pack.ts";
import { Clock } from "../fixtures/clock.ts";
import { fcache, namer } from "../fixtures/definitions.ts";
import { defineFixture } from "../fixtures/kind.ts";
import { kinds } from "../kinds.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { Listeners } from "../net/listener.ts";
import type { Stage } from "../stage.ts";
import type { CacherPart } from "../web/cache/cacher.ts";
import { managedCache, type ManagedCache } from "../web/cache/managed-cache.ts";
import type { Workers } from "../stage/workers.ts";
import type { ServerPart } from "../stage/kinds/server.ts";
import { defineHandlet, type HandletPart } from "../web/kinds.ts";
import type { InjectRequest, InjectResponse } from "../web/wires/inject-request.ts";

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
  wait(seconds: number): void;
  get(url: string, headers?: Readonly<Record<string, string>>): Promise<InjectResponse>;
  ask(request: InjectRequest): Promise<InjectResponse>;
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

/** `before` and `behind` are parts of the rule, in the language of configurations; `origin {}` calls the function. */
export async function cachedSite(
  origin: HandletPart["handle"],
  settings = "",
  options: CachedSiteOptions = {},
): Promise<CachedSite> {
  const { before = "", behind = "origin {}", beside = "", definitions = [], workers } = options;
  const { sign = "memCacher", cacher = "" } = options;
  let now = Date.parse("2026-01-01T00:00:00Z");
  let asked = 0;
  const testClock = defineFixture({ sign: "clock", create: () => new Clock({ wall: () => now }) });
  const answers = defineHandlet({
    sign: "origin",
    create: () => ({
      handle(req, resp) {
        asked++;
        return origin(req, resp);
      },
    }),
  });
  const doubts: string[] = [];
  const sink = new MemorySink();
  const log = openErrorLog({ level: "debug", sink });
  const core = corePack.definitions.filter(({ sign }) => sign !== "clock");
  const boot = makeBoot({
    kinds,
    packs: [pack("test", [...core, testClock, answers, ...definitions])],
    fixtures: { clock: testClock, fcache, namer },
    openLog: () => log,
    makeListeners: () => new Listeners(),
  });
  const stage = await boot.bootText(
    `stage {
      ${beside}
      ${sign} "c" { ${cacher} }
      webapp "site" {
        .hostnames = ("*")
        rule { ${before} cache { .withCacher = "c" ${settings} } ${behind} }
        rule { .returnText = "next rule" }
      }
      httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
    }`,
    {
      ...(workers === undefined ? {} : { workers }),
      warned: (found) => void doubts.push(...found.map(({ message }) => message)),
    },
  );
  await stage.start();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  const [found] = stage.offering(managedCache);
  const store = stage.find(`${sign}.c`)?.part;
  if (found === undefined || store === undefined || !isCacher(store)) throw new Error("the site has no cache");
  return {
    stage,
    cache: found.part,
    cacher: store,
    port: Number(/:(\d+)$/.exec(listensOn)?.[1] ?? 0),
    log: sink.lines,
    doubts,
    asked: () => asked,
    wait: (seconds) => void (now += seconds * 1000),
    get: (url, headers = {}) => stage.inject({ url: `http://a.example${url}`, headers }),
    ask: (request) => stage.inject(request),
    async [Symbol.asyncDispose]() {
      await setImmediate();
      await stage.quit(1000);
    },
  };
}

function isCacher(part: object): part is CacherPart {
  return "lookup" in part && "begin" in part;
}
