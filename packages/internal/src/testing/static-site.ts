// For tests: the handlet static over a temporary web root.

import { mkdir, mkdtempDisposable, realpath, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { InjectResponse } from "../web/wires/inject-request.ts";
import { Clock } from "../fixtures/clock.ts";
import { Fcache } from "../fixtures/fcache.ts";
import { Namer } from "../fixtures/namer.ts";
import { openErrorLog } from "../log/error-log.ts";
import { MemorySink } from "../log/sink.ts";
import { Metrics } from "../metrics/metrics.ts";
import { Operator } from "../operator/operator.ts";
import { Readiness } from "../stage/readiness.ts";
import { onlyWorker } from "../stage/workers.ts";
import { Listeners } from "../net/listener.ts";
import { staticHandlet } from "../web/static/static.ts";
import { askOf } from "./ask.ts";

/** When all files of a site were changed last, as a client sees it. */
export const lastModified = "Fri, 02 Jan 2026 03:04:05 GMT";

/** The content of a file that is too large to be kept in memory. */
export const big = "0123456789".repeat(30_000);

const lastChange = new Date(lastModified);

type Props = { -readonly [Name in keyof Handlet]: Handlet[Name] };
type Handlet = Parameters<typeof staticHandlet.create>[0]["props"];

export interface SiteOptions {
  /** Contents by path, from `dir`. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly props?: Partial<Props>;
  /** Default: "web", which is there. */
  readonly rootName?: string;
  readonly makeFcache?: () => Fcache;
}

/**
 * The web root is a folder in `dir`, which is there for what is outside. Files up to 100 bytes are kept as
 * their content.
 */
export async function makeSite({ files = {}, rootName = "web", props: given = {}, makeFcache }: SiteOptions = {}) {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-static-"));
  const dir = await realpath(folder.path);
  const clock = { ms: 0 };
  const sink = new MemorySink();
  const fcache = makeFcache?.() ?? new Fcache({ maxContentSize: 100, now: () => clock.ms });
  const props: Props = {
    webRoot: join(dir, rootName),
    stripPrefix: undefined,
    indexFile: ["index.html"],
    tryEndings: [],
    scripts: [".php"],
    otherwise: undefined,
    fallback: undefined,
    fallbackFor: "html",
    maxAge: undefined,
    immutable: false,
    charset: "utf-8",
    precompressed: [],
    maxRanges: 16,
    listing: "off",
    maxListed: 1000,
    ...given,
  };
  await mkdir(join(dir, "web"));
  async function write(name: string, content: string | Uint8Array, changed = lastChange): Promise<void> {
    const path = join(dir, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    await utimes(path, changed, changed);
  }
  for (const [name, content] of Object.entries(files)) await write(name, content);
  const part = staticHandlet.create({
    props,
    name: "",
    path: "webapp.test/rule/static",
    log: openErrorLog({ sink }),
    stage: {
      clock: new Clock(),
      fcache,
      namer: new Namer(),
      outgate() {
        throw new Error("there is none here");
      },
    },
    owner: undefined,
    isLeaving: false,
    condition: undefined,
    listeners: new Listeners(),
    workers: onlyWorker,
    metrics: new Metrics(),
    operator: new Operator(),
    readiness: new Readiness(),
    children: () => [],
  });
  await part.prepare?.();
  const ask = askOf((req, resp) => part.handle(req, resp), { fcache, sink });
  return {
    dir,
    props,
    part,
    fcache,
    sink,
    write,
    get: (url: string, headers: Record<string, string> = {}): Promise<InjectResponse> => ask({ url, headers }),
    ask,
    /** What is cached is to be looked at again. */
    later: () => void (clock.ms += 10_000),
    async [Symbol.asyncDispose]() {
      await fcache.shutdown();
      await folder.remove();
    },
  };
}
