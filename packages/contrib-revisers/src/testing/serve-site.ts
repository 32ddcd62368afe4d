// For tests: a running site, whose first rule has the revisers that are tested, with what answers behind them.

import { mkdir, mkdtempDisposable, utimes, writeFile } from "node:fs/promises";
import { request as sendRequest } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import {
  bootWith,
  defineHandlet,
  type HandletPart,
  type InjectResponse,
  MemorySink,
  openErrorLog,
  pack,
  type Stage,
} from "@hemi/internal";
import contribRevisers from "../index.ts";

export interface SiteOptions {
  /** Of the rule, as in a configuration. */
  readonly revisers: string;
  /** Answers; what it leaves is served from `files`. */
  readonly handle?: HandletPart["handle"];
  /** Paths in the web root, and contents. Each request looks at them. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** More props and rules of the webapp. */
  readonly webapp?: string;
  /** More components of the stage. */
  readonly stage?: string;
  /** Props of the static handlet. */
  readonly static?: string;
}

export interface Site extends AsyncDisposable {
  readonly stage: Stage;
  /** Puts a file in the place of one; it is seen at once. */
  write(name: string, content: string | Uint8Array): Promise<void>;
  /** The error log, `debug` too. */
  readonly lines: readonly string[];
  readonly port: number;
  /** Without a socket. */
  ask(line: string, headers?: Readonly<Record<string, string>>): Promise<InjectResponse>;
  /** Over a connection of its own. */
  fetch(line: string, headers?: Readonly<Record<string, string>>): Promise<Fetched>;
  /** Gives the component with that path these props, as a reload does. */
  change(path: string, props: Readonly<Record<string, unknown>>): Promise<void>;
}

export interface Fetched {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly content: Buffer;
}

export async function serveSite({ revisers, handle, files = {}, webapp = "", ...options }: SiteOptions): Promise<Site> {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-revisers-"));
  let changes = 0;
  async function write(name: string, content: string | Uint8Array): Promise<void> {
    const path = join(folder.path, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    // Long ago, each time another time: a file that has just been changed is read anew for two seconds.
    const changed = new Date(Date.UTC(2026, 0, 1) + ++changes * 1000);
    await utimes(path, changed, changed);
  }
  for (const [name, content] of Object.entries(files)) await write(name, content);
  const answerer = defineHandlet({ sign: "answerer", create: () => ({ handle: handle ?? (() => false) }) });
  const sink = new MemorySink();
  const stage = await bootWith([contribRevisers, pack("test", [answerer])]).bootText(
    `stage {
      fcache { .checkInterval = 0s .missingInterval = 0s }
      ${options.stage ?? ""}
      webapp "site" {
        .hostnames = ("*")
        .webRoot = "${folder.path}"
        ${webapp}
        rule { ${revisers} answerer {} static { ${options.static ?? ""} } }
      }
      httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ level: "debug", sink }) },
  );
  await stage.start();
  const server = stage.find("httpxServer.main")?.part;
  const listensOn = server !== undefined && "listensOn" in server ? String(server.listensOn) : "";
  const port = Number(/:(\d+)$/.exec(listensOn)?.[1]);
  return {
    stage,
    write,
    lines: sink.lines,
    port,
    ask(line, headers = {}) {
      const [method = "", url = ""] = line.split(" ");
      return stage.inject({ method, url, headers: { host: "site.example", ...headers } });
    },
    fetch(line, headers = {}) {
      const [method = "", path = ""] = line.split(" ");
      return new Promise((resolve, reject) => {
        const request = sendRequest({ method, path, headers, port, host: "127.0.0.1", agent: false }, (response) => {
          const { statusCode = 0, headers } = response;
          buffer(response).then((content) => resolve({ status: statusCode, headers, content }), reject);
        });
        request.on("error", reject).end();
      });
    },
    async change(path, props) {
      const component = stage.find(path);
      if (component === undefined || !("update" in component)) throw new Error(`there is no ${path}`);
      // What a reload will call: the kit knows it by its shape only.
      const updated = component as { update(props: object, changed: ReadonlySet<string>): Promise<void> };
      await updated.update(props, new Set(Object.keys(props)));
    },
    async [Symbol.asyncDispose]() {
      await stage.quit();
      await folder.remove();
    },
  };
}
