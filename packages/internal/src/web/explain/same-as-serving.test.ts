// What is explained is what happens: random configurations and requests, explained and served.

import fc from "fast-check";
import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import type { WalkOutcome } from "./explanation.ts";
import { pack } from "../../component/pack.ts";
import { prop } from "../../component/prop.ts";
import type { ConfigObject } from "../../config/object.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { Listeners } from "../../net/listener.ts";
import type { Stage } from "../../stage.ts";
import type { ServerPart } from "../../stage/kinds/server.ts";
import { defineHandlet, defineSocklet } from "../kinds.ts";
import { RawClient } from "../../testing/raw-client.ts";

type ConfigProps = NonNullable<ConfigObject["props"]>;

const props = { takes: prop.bool({ required: true }), isSilent: prop.bool({ default: false }) };
const explained = ({ takes, isSilent }: { readonly takes: boolean; readonly isSilent: boolean }) =>
  isSilent ? {} : { explain: () => ({ takes: takes ? ("yes" as const) : ("no" as const), text: "" }) };

/** Takes what it is told to, and says who it is. */
const part = defineHandlet({
  sign: "part",
  props,
  create: ({ props, path }) => ({
    handle(_req, resp) {
      if (props.takes) resp.send(path);
      return props.takes;
    },
    ...explained(props),
  }),
});
/** Likewise, to those who want to leave HTTP. */
const socket = defineSocklet({
  sign: "socket",
  props,
  create: ({ props, path }) => ({
    handle({ resp }) {
      if (props.takes) resp.send(path);
      return props.takes;
    },
    ...explained(props),
  }),
});
const boot = bootWith([pack("test", [part, socket])]);

const hostname = fc
  .array(fc.constantFrom("a", "b", "ab"), { minLength: 1, maxLength: 3 })
  .map((names) => names.join("."));
const pattern = fc.oneof(
  hostname,
  hostname.map((name) => `*.${name}`),
  hostname.map((name) => `${name}.*`),
  fc.constant("*"),
);
const path = fc.array(fc.constantFrom("/", "a", "b", ".", "..", "%61", "%2F", "%2e", "%0", "\\"), { maxLength: 6 });
const term = fc
  .tuple(
    fc.constantFrom("$path", "$method", "$hostname", "$query_q", "$encodedPath", "$authority"),
    fc.constantFrom("==", "!=", "^=", "!^", "$=", "!$", "*=", "!*", "~="),
    fc.array(fc.constantFrom("a", "b", "/a", "/", "GET", "", "a.b"), { minLength: 1, maxLength: 3 }),
  )
  .map(([variable, operator, patterns]) => `${variable} ${operator} (${patterns.map((p) => `"${p}"`).join(", ")})`);
const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    term,
    fc.constantFrom("$path -f", "$path !d", "$path -E"),
    fc
      .tuple(tie("condition"), fc.constantFrom("&&", "||"), tie("condition"))
      .map(([a, joint, b]) => `(${a}) ${joint} (${b})`),
    tie("condition").map((operand) => `!(${operand})`),
  ),
}));
const partOf = (props: ConfigProps): ConfigObject => ({ sign: "part", props });
const socketOf = (props: ConfigProps): ConfigObject => ({ sign: "socket", props });
const rule: fc.Arbitrary<ConfigObject> = fc
  .record({
    when: fc.option(condition, { nil: "" }),
    socklets: fc.array(fc.record({ takes: fc.boolean(), isSilent: fc.boolean() }), { maxLength: 2 }),
    handlets: fc.array(fc.record({ takes: fc.boolean(), isSilent: fc.boolean() }), { maxLength: 3 }),
    isMixed: fc.boolean(),
    returns: fc.boolean(),
  })
  .map(({ when, socklets, handlets, isMixed, returns }) => ({
    sign: "rule",
    ...(when === "" ? {} : { when }),
    ...(returns && handlets.length === 0 ? { props: { returnText: "text", returnCode: 203 } } : {}),
    children: isMixed
      ? [...handlets.map(partOf).slice(0, 1), ...socklets.map(socketOf), ...handlets.map(partOf).slice(1)]
      : [...socklets.map(socketOf), ...handlets.map(partOf)],
  }));
const webapps = fc.array(
  fc.record({
    hostnames: fc.uniqueArray(pattern, { minLength: 1, maxLength: 3 }),
    rules: fc.array(rule, { maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 3 },
);
const request = fc.record({
  method: fc.constantFrom("GET", "POST", "OPTIONS"),
  host: fc.oneof(hostname, fc.constantFrom("", "A.b.", "[::1]", "a:80", "a;b", "a..b")),
  url: fc.oneof(
    fc.tuple(path, fc.constantFrom("", "?q=a", "?q")).map(([segments, query]) => `/${segments.join("")}${query}`),
    fc.constant("*"),
  ),
});
/** One that wants to leave HTTP: it needs a connection, so that it is one that can be sent. */
const upgrade = fc.record({
  method: fc.constantFrom("GET", "POST"),
  host: hostname,
  url: fc
    .array(fc.constantFrom("a", "b", "..", "%61", "%2F"), { maxLength: 3 })
    .map((segments) => `/${segments.join("/")}`),
  upgrade: fc.constantFrom("websocket", "other, websocket"),
});

test("who answers, with which status, or which of the silent handlets may", async () => {
  const log = openErrorLog({ sink: new MemorySink() });
  await fc.assert(
    fc.asyncProperty(webapps, fc.array(request, { minLength: 1, maxLength: 10 }), async (webapps, requests) => {
      await using stage = await boot.bootObject(treeOf(webapps), { log, listeners: new Listeners() });
      const outcomes = [];
      // Before it is started: nothing need be there yet.
      for (const { method, host, url } of requests) {
        const asked = { method, url, headers: host === "" ? {} : { host } };
        outcomes.push({ asked, outcome: (await stage.explain(asked)).outcome });
      }
      await stage.start();
      for (const { asked, outcome } of outcomes) {
        const answer = await stage.inject(asked);
        expect((await stage.explain(asked)).outcome).toEqual(outcome);
        expectAsTold(outcome, answer);
      }
    }),
    { numRuns: 150 },
  );
}, 60_000);

test("who answers a request that wants to leave HTTP", async () => {
  const log = openErrorLog({ sink: new MemorySink() });
  await fc.assert(
    fc.asyncProperty(webapps, fc.array(upgrade, { minLength: 1, maxLength: 5 }), async (webapps, requests) => {
      await using stage = await boot.bootObject(treeOf(webapps), { log, listeners: new Listeners() });
      await stage.start();
      await using client = await RawClient.connect({ host: "127.0.0.1", port: portOf(stage) });
      for (const { method, host, url, upgrade } of requests) {
        const headers = { host, connection: "upgrade", upgrade };
        const { outcome } = await stage.explain({ method, url, headers });
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
        client.send(`${method} ${url} HTTP/1.1\r\n${lines.join("")}\r\n`);
        const { status, content } = await client.response(method);
        expectAsTold(outcome, { status, text: content.toString() });
      }
    }),
    { numRuns: 100 },
  );
}, 60_000);

function expectAsTold(outcome: WalkOutcome, answer: { readonly status: number; readonly text: string }): void {
  const certain = outcome.type === "open" ? outcome.otherwise : outcome;
  if (outcome.type === "open" && outcome.mayBeBy.includes(answer.text)) return;
  if (certain.type === "refused") expect(answer.status).toBe(certain.status);
  else if (certain.type !== "answered") expect.unreachable();
  else if (certain.status !== undefined) expect(answer.status).toBe(certain.status);
  else expect(answer.text).toBe(certain.by);
}

function portOf(stage: Stage): number {
  const { listensOn: [listensOn = ""] = [] }: ServerPart = stage.find("httpxServer.main")?.part ?? {};
  return Number(listensOn.replace(/^.*:/, ""));
}

/** A hostname that another webapp has already is left out. */
function treeOf(
  webapps: readonly { readonly hostnames: readonly string[]; readonly rules: readonly ConfigObject[] }[],
): ConfigObject {
  const seen = new Set<string>();
  const children: ConfigObject[] = [];
  for (const { hostnames, rules } of webapps) {
    const own = hostnames.filter((hostname) => !seen.has(hostname));
    if (own.length === 0) continue;
    for (const hostname of own) seen.add(hostname);
    const props = { hostnames: own, webRoot: import.meta.dirname };
    children.push({ sign: "webapp", name: `w${children.length}`, props, children: rules });
  }
  const names = children.map(({ name = "" }) => name);
  const props = { webapps: names, address: "127.0.0.1:0" };
  return { sign: "stage", children: [{ sign: "httpxServer", name: "main", props }, ...children] };
}
