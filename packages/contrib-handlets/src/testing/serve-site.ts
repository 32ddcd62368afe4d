// For tests: a running site of one webapp, whose first rules hold the handlets of this package.

import { request as sendRequest } from "node:http";
import { text } from "node:stream/consumers";
import {
  authenticatedUser,
  bootWith,
  countGroups,
  defineAddon,
  defineHandlet,
  HTTPError,
  type InjectResponse,
  MemorySink,
  MemoryRateLimits,
  Metrics,
  openErrorLog,
  pack,
  rateLimitStore,
  type Stage,
} from "@hemi/internal";
import { vi } from "vitest";
import contribHandlets from "../index.ts";

type Headers = Readonly<Record<string, string | readonly string[]>>;

export interface Site extends AsyncDisposable {
  readonly stage: Stage;
  /** The error log, `debug` too. */
  readonly lines: readonly string[];
  /** From now on the stage's clock stands still at `now`, in ms. */
  at(now: number): void;
  /** Without a socket; the host is `site.example` unless `url` or `headers` say otherwise. */
  ask(line: string, headers?: Headers): Promise<InjectResponse>;
  /** Over a connection of its own from that address, such as `127.0.0.2`. */
  askFrom(
    localAddress: string,
    path?: string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly text: string }>;
  /** Where it listens: `127.0.0.1:3080`. */
  readonly address: string;
  /** Lets those go on that wait in `/wait`. */
  release(): void;
  /** What was counted in a group for these labels, by name. */
  counts(group: string, labels: readonly string[]): Readonly<Record<string, number>>;
  /** Gives the component with that path these props, as a reload does. */
  change(path: string, props: Readonly<Record<string, unknown>>): void;
}

/** Ends the wait of `/wait`. */
let waiting = Promise.withResolvers<void>();

/**
 * What answers behind the handlets: `/fail` gives a 500 and `/teapot` a 418, `/vary` has fields of its own, `/missing`
 * is nobody's, `/large` has 256 KiB, `/wait` waits, the rest is `passed`, with the name of the user if there is one.
 */
const answerer = defineHandlet({
  sign: "answerer",
  create: () => ({
    handle(req, resp) {
      if (req.path === "/large") {
        resp.send("x".repeat(256 * 1024));
        return true;
      }
      if (req.path === "/wait") {
        return waiting.promise.then(() => {
          resp.send("waited");
          return true;
        });
      }

      if (req.path === "/missing") return false;
      if (req.path === "/fail") throw new Error("it was to fail");
      if (req.path === "/teapot") throw new HTTPError(418);
      if (req.path === "/vary") {
        resp.setHeader("vary", "accept-encoding");
        resp.addHeader("vary", "Accept-Language, Origin");
        resp.setHeader("access-control-allow-origin", "https://from-below.example");
      }
      if (req.path === "/star") resp.setHeader("vary", "*");
      const user = req.locals.get(authenticatedUser);
      resp.send(user === undefined ? "passed" : `passed as ${user}`);
      return true;
    },
  }),
});

/** A store of rate limits, as an addon offers it. */
const store = defineAddon({ sign: "store", offers: [rateLimitStore], create: () => new MemoryRateLimits() });

const { bootText } = bootWith([contribHandlets, pack("test", [answerer, store])]);

/**
 * `rules` are those before the one that answers, or handlets for one rule; `server` are props of the server. Rejects
 * with the ConfigError of a wrong one.
 */
export async function serveSite(rules: string, address = "127.0.0.1:0", server = ""): Promise<Site> {
  const sink = new MemorySink();
  const metrics = new Metrics();
  const stage = await bootText(
    `stage {
      store "s" {}
      webapp "site" {
        .hostnames = ("*")
        ${/^(?:rule|\.)/.test(rules) ? rules : `rule { ${rules} }`}
        rule { answerer {} }
      }
      httpxServer "main" { .webapps = ("site") .address = "${address}" ${server} }
    }`,
    { log: openErrorLog({ level: "debug", sink }), metrics },
  );
  await stage.start();
  const clock: { monotonic: () => number } = partOf(stage, "clock");
  const { listensOn }: { listensOn: readonly string[] } = partOf(stage, "httpxServer.main");
  return {
    stage,
    lines: sink.lines,
    address: String(listensOn[0]),
    release() {
      waiting.resolve();
      waiting = Promise.withResolvers();
    },
    counts(name, labels) {
      const group = countGroups.find((known) => known.name === name);
      const block = metrics.report().find((known) => known.group === name && known.labels.join() === labels.join());
      return Object.fromEntries(
        Object.entries(group?.at ?? {}).map(([series, at]) => [series, block?.values[at] ?? 0]),
      );
    },
    at: (now) => void vi.spyOn(clock, "monotonic").mockReturnValue(now),
    ask(line, headers = {}) {
      const [method = "", url = ""] = line.split(" ");
      return stage.inject({ method, url, headers: { host: "site.example", ...headers } });
    },
    async askFrom(localAddress, path = "/", headers = {}) {
      const url = `http://${String(listensOn[0])}${path}`;
      return await new Promise((resolve, reject) => {
        const request = sendRequest(url, { localAddress, headers, agent: false }, (response) => {
          text(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
        });
        request.on("error", reject).end();
      });
    },
    change(path, props) {
      const component = stage.find(path);
      const changed = new Set(Object.keys(props));
      if (component === undefined || !("update" in component)) throw new Error(`there is no ${path}`);
      void (component as { update(values: object, changed: ReadonlySet<string>): Promise<void> }).update(
        props,
        changed,
      );
    },
    [Symbol.asyncDispose]: () => stage.quit(),
  };
}

function partOf<PartType extends object>(stage: Stage, path: string): PartType {
  const part = stage.find(path)?.part;
  if (part === undefined) throw new Error(`there is no ${path}`);
  return part as PartType;
}
