// A configuration of a well-known application, tested: it passes `hemi check`, sends requests where they should go, and
// answers as the servers do that people come from.

import { chmod, mkdir, mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  bootText,
  formatConfig,
  MemorySink,
  openErrorLog,
  problemsText,
  type Problem,
  type ServerPart,
  type Stage,
  type WalkOutcome,
} from "@hemi/hemi";
import { describe, expect, test, type TestContext } from "vitest";
import { startApache } from "../../src/apache.ts";
import { startCaddy } from "../../src/caddy.ts";
import { startHAProxy } from "../../src/haproxy.ts";
import { startNginx } from "../../src/nginx.ts";
import type { PeerSite } from "../../src/peer-site.ts";
import { peer } from "../../src/peers.ts";
import { startPHP } from "../../src/php-fpm.ts";
import { ask, readLine, type Answer, type Line } from "./ask.ts";
import { startStandIn } from "./stand-in.ts";

/** What surrounds a configuration in a test. */
export interface Site {
  /** The host that requests ask for. */
  readonly host: string;
  /**
   * What stands in the configurations, ours and those of others, for what a test has elsewhere: a folder of files, a
   * socket of PHP-FPM, or the address of an application, by its name.
   */
  readonly places: Readonly<Record<string, "files" | "php" | `app ${string}`>>;
  /** The files, by path. PHP scripts are `script`. Of all folders the same. */
  readonly files?: Readonly<Record<string, string>>;
  /** Fields of a request that applications tell of. */
  readonly told?: readonly string[];
}

export interface Translation extends Site {
  /** The page of docs/guides whose first configuration it is. */
  readonly page: string;
  /**
   * Which component answers, by `hemi explain`, and with which status, where that is known: `a 404`; which of several,
   * if it is not known: `a or b 404`; `404`, where none does.
   */
  readonly explained: readonly (readonly [line: Line, answer: string])[];
  readonly compared?: readonly Comparison[];
  /** What is answered by the documentation of a server that cannot stand beside. */
  readonly answered?: readonly (readonly [line: Line, answer: Partial<Answer>])[];
}

/** How a server of others is set up for the same application, and what both are asked. */
export type Comparison = {
  readonly lines: readonly Line[];
  /** Fields of answers that are compared, beside status, content and `location`. */
  readonly fields?: readonly string[];
} & (
  | { readonly nginx: string; readonly http?: string }
  | { readonly caddy: string }
  | { readonly apache: string }
  | { readonly haproxy: string }
);

/** A script that tells how it was called. */
export const script =
  "<?php header('Content-Type: text/plain'); echo basename($_SERVER['SCRIPT_FILENAME']), ' ', $_SERVER['SCRIPT_NAME'], ' ', $_SERVER['PATH_INFO'] ?? '', ' ', $_SERVER['REQUEST_URI'];";

/** Declares the tests of a translation. */
export function testTranslation(translation: Translation): void {
  const { explained, compared = [], answered = [] } = translation;

  test("is compared with others, or with what they document", () => {
    expect(compared.length + answered.length).toBeGreaterThan(0);
  });

  test("passes hemi check without a warning, and is laid out as hemi fmt does it", async () => {
    const text = await configurationOf(translation);
    await using around = await surroundings(translation);
    const doubts: Problem[] = [];
    await using stage = await boot(around, text, doubts);
    await stage.examine();
    expect(problemsText(doubts)).toBe("");
    expect(formatConfig(text, translation.page).text).toBe(text);
  });

  test("sends requests where they should go", async () => {
    expect(explained.length).toBeGreaterThanOrEqual(5);
    await using around = await surroundings(translation);
    await using stage = await boot(around, await configurationOf(translation));
    for (const [line, answer] of explained) {
      const { method, path: url, headers } = readLine(line, translation.host);
      const { outcome } = await stage.explain({ method, url, headers });
      expect.soft([line, tellOutcome(outcome)]).toEqual([line, answer]);
    }
  });

  if (answered.length > 0) {
    test("answers as documented", async (context) => {
      await using around = await surroundings(translation, context);
      await using stage = await boot(around, await configurationOf(translation));
      await stage.start();
      const address = addressOf(stage);
      for (const [line, answer] of answered) {
        expect.soft([line, await ask(address, readLine(line, translation.host), [])]).toMatchObject([line, answer]);
      }
    });
  }

  describe.each(compared)("%#", (comparison) => {
    test(`is answered as with ${peerOf(comparison)}`, async (context) => {
      await compare(await configurationOf(translation), translation, comparison, context);
    });
  });
}

/** Starts a configuration of ours and one of others, asks both for each of the lines, and expects the same of them. */
export async function compare(
  configuration: string,
  site: Site,
  comparison: Comparison,
  context: TestContext,
): Promise<void> {
  const program = peer(programOf(comparison), context);
  await using around = await surroundings(site, context);
  await using theirs = await startOther(comparison, program, around);
  await using stage = await boot(around, configuration);
  await stage.start();
  const ours = addressOf(stage);
  const fields = ["location", ...(comparison.fields ?? [])];
  for (const line of comparison.lines) {
    const asked = readLine(line, site.host);
    const [own, other] = [await ask(ours, asked, fields), await ask(theirs.address, asked, fields)];
    expect.soft([line, withoutOwn(own, site.host, ours)]).toEqual([line, withoutOwn(other, site.host, theirs.address)]);
  }
}

const docs = fileURLToPath(new URL("../../../../docs/", import.meta.url));

/** The first configuration of a guide. */
async function configurationOf({ page }: Translation): Promise<string> {
  const text = await readFile(join(docs, "guides", page), "utf8");
  const [, block] = /^```\n(.*?)^```$/ms.exec(text) ?? [];
  if (block === undefined) throw new Error(`docs/guides/${page} shows no configuration`);
  return block;
}

interface Surroundings extends AsyncDisposable {
  /** Where relative paths and logs are. */
  readonly folder: string;
  /** A configuration with the places of the test. */
  placed(text: string): string;
}

/** Files and applications. `context`: of a test that needs them running; else nothing is started. */
async function surroundings(site: Site, context?: TestContext): Promise<Surroundings> {
  const { places, files = {}, told = [] } = site;
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await mkdtempDisposable(join(tmpdir(), "hemi-coming-from-")));
  // Servers that a test starts as root may serve as another user.
  await chmod(folder.path, 0o755);
  const put = async (name: string, content: string): Promise<void> => {
    await mkdir(dirname(join(folder.path, name)), { recursive: true });
    await writeFile(join(folder.path, name), content);
  };
  for (const [name, content] of Object.entries(files)) await put(name, content);
  const found = new Map<string, string>();
  for (const [text, place] of Object.entries(places)) {
    if (place === "files") found.set(text, folder.path);
    else if (context === undefined)
      found.set(text, place === "php" ? join(folder.path, "php.sock") : `127.0.0.1:${found.size + 1}`);
    else if (place === "php") found.set(text, stack.use(await startPHP(peer("php-fpm", context))).socket);
    else found.set(text, stack.use(await startStandIn(place.slice("app ".length), told)).address);
  }
  // The longest first: one may begin as another does.
  const inOrder = [...found].sort(([one], [other]) => other.length - one.length);
  const owned = stack.move();
  return {
    folder: folder.path,
    placed: (text) => inOrder.reduce((placed, [from, to]) => placed.replaceAll(from, to), text),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function boot({ placed, folder }: Surroundings, text: string, doubts: Problem[] = []): Promise<Stage> {
  return await bootText(placed(text).replaceAll('.address = ":80"', '.address = "127.0.0.1:0"'), {
    log: openErrorLog({ sink: new MemorySink() }),
    baseDir: folder,
    env: {},
    warned: (found) => doubts.push(...found),
  });
}

function tellOutcome(outcome: WalkOutcome): string {
  switch (outcome.type) {
    case "answered":
      return `${outcome.by} ${outcome.status ?? ""}`.trim();
    case "open":
      return [...outcome.mayBeBy, tellOutcome(outcome.otherwise)].join(" or ");
    case "refused":
      return String(outcome.status);
    default:
      return outcome.type;
  }
}

function addressOf(stage: Stage): string {
  const { listensOn: [address = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  return address;
}

function peerOf(comparison: Comparison): string {
  return { nginx: "nginx", caddy: "Caddy", apache2: "Apache", haproxy: "HAProxy" }[programOf(comparison)];
}

function programOf(comparison: Comparison): "nginx" | "caddy" | "apache2" | "haproxy" {
  if ("nginx" in comparison) return "nginx";
  if ("haproxy" in comparison) return "haproxy";
  return "caddy" in comparison ? "caddy" : "apache2";
}

async function startOther(comparison: Comparison, program: string, { placed }: Surroundings): Promise<PeerSite> {
  if ("nginx" in comparison) return await startNginx(program, placed(comparison.nginx), placed(comparison.http ?? ""));
  if ("haproxy" in comparison) return await startHAProxy(program, placed(comparison.haproxy));
  if ("caddy" in comparison) return await startCaddy(program, placed(comparison.caddy));
  return await startApache(program, placed(comparison.apache));
}

/** An answer without what is each server's own: the text of its built-in pages, and its port. */
function withoutOwn({ status, content, fields }: Answer, host: string, address: string): Answer {
  const own = new RegExp(
    `^http://(?:${host.replaceAll(".", "\\.")}|127\\.0\\.0\\.1)(?::${address.split(":")[1]})?(?=/|$)`,
  );
  return {
    status,
    content: status >= 300 && builtInPages.some((page) => page.test(content)) ? "" : content,
    // Those of a tunnel mean nothing.
    fields: status === 101 ? {} : { ...fields, location: fields["location"]?.replace(own, "") },
  };
}

const builtInPages: readonly RegExp[] = [
  // Hemi's
  /^\d{3} [\w -]+\n$/,
  // nginx's
  /^<html>\r\n<head><title>\d{3} .*<center>nginx/s,
  // HAProxy's
  /^<html><body><h1>\d{3} .*<\/h1>/s,
  // Apache's
  /^<!DOCTYPE HTML PUBLIC "-\/\/(?:IETF|W3C)\/\/.*<h1>/s,
];
