import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { pack } from "../../component/pack.ts";
import { frameType, settingId } from "../../http2/frames.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { Metrics } from "../../metrics/metrics.ts";
import { countGroups } from "../../metrics/groups.ts";
import { durationBounds } from "../../metrics/count-group.ts";
import type { ServerPart } from "../../stage/kinds/server.ts";
import { frame, FrameClient } from "../../testing/frame-client.ts";
import { RawClient } from "../../testing/raw-client.ts";
import { HTTPError } from "../http-error.ts";
import { defineHandlet } from "../kinds.ts";

const held = new Map<string, () => void>();
const answering = defineHandlet({
  sign: "answering",
  create: () => ({
    async handle(req, resp) {
      if (req.path.startsWith("/hold")) await new Promise<void>((resolve) => held.set(req.path, resolve));
      if (req.path === "/throw") throw new Error("thrown");
      if (req.path === "/teapot") throw new HTTPError(418);
      await req.content.bytes();
      resp.send("hello");
      return true;
    },
  }),
});
const refusing = defineHandlet({
  sign: "refusing",
  create: () => ({
    handle(req) {
      if (req.path === "/forbidden") throw new HTTPError(403);
      return false;
    },
  }),
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function counting(
  rules = 'rule "fixed" $path == "/fixed" { .returnText = "fixed" } rule { refusing {} answering {} }',
) {
  const metrics = new Metrics();
  const text = (rules: string) => `stage {
    webapp "shop" { .hostnames = ("*") ${rules} }
    httpxServer "main" { .webapps = ("shop") .address = "127.0.0.1:0" }
  }`;
  const stage = await bootWith([]).bootText(text(rules), {
    log: openErrorLog({ sink: new MemorySink() }),
    use: [pack("test", [answering, refusing])],
    metrics,
  });
  await stage.start();
  return {
    stage,
    metrics,
    reload: (rules: string) => stage.reload({ text: text(rules) }),
    /** The numbers of a slice that are not 0, by their names; durations as how many there are. */
    numbers(group: string, ...labels: string[]) {
      const { at, series } = countGroups.find(({ name }) => name === group) ?? expect.fail(`no group ${group}`);
      const block = metrics.report().find((block) => block.group === group && block.labels.join() === labels.join());
      const entries = Object.entries<number>(at).map(([name, place]): [string, number] => {
        if (name !== "durations") return [name, block?.values[place] ?? 0];
        return [name, block?.values.slice(place, place + durationBounds.length + 1).reduce((a, b) => a + b, 0) ?? 0];
      });
      expect(Object.keys(series)).toEqual(Object.keys(at));
      return Object.fromEntries(entries.filter(([, value]) => value !== 0));
    },
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

test("requests are counted for the handlet that answers, by class of status", async () => {
  await using site = await counting();
  for (const url of ["/", "/b?c", "/teapot", "/throw", "/forbidden", "/fixed"]) await site.stage.inject({ url });
  await turn();
  expect(site.numbers("request", "shop", "", "answering")).toMatchObject({
    status2xx: 2,
    status4xx: 1,
    status5xx: 1,
    durations: 4,
  });
  expect(site.numbers("request", "shop", "", "refusing")).toMatchObject({ status4xx: 1, durations: 1 });
  expect(site.numbers("request", "shop", "fixed", "")).toEqual({ status2xx: 1, sent: 5, durations: 1 });
  expect(site.numbers("webapp", "shop")).toEqual({});
});

test("what no rule takes is counted for the webapp", async () => {
  await using site = await counting('rule "fixed" $path == "/fixed" { .returnText = "fixed" } rule { refusing {} }');
  await site.stage.inject({ url: "/none" });
  await turn();
  expect(site.numbers("request", "shop", "", "")).toMatchObject({ status4xx: 1, durations: 1 });
  expect(site.numbers("request", "shop", "", "refusing")).toEqual({});
});

test("a request that waits is under way, and takes the time that it takes", async () => {
  await using site = await counting();
  const response = site.stage.inject({ url: "/hold" });
  await expect.poll(() => held.has("/hold")).toBe(true);
  expect(site.numbers("webapp", "shop")).toEqual({ underWay: 1 });
  held.get("/hold")?.();
  await response;
  await turn();
  expect(site.numbers("webapp", "shop")).toEqual({});
  expect(site.numbers("request", "shop", "", "answering")).toEqual({ status2xx: 1, sent: 5, durations: 1 });
});

test("an answer that waits for its client is under way until the client has it", async () => {
  await using site = await counting();
  const { listensOn: [listensOn = ""] = [] }: ServerPart = site.stage.find("httpxServer.main")?.part ?? {};
  const [host = "", port = ""] = listensOn.split(":");
  await using raw = await RawClient.connect({ host, port: Number(port) });
  const client = await FrameClient.connect({ connect: async () => raw }, { [settingId.initialWindowSize]: 0 });
  await client.send(client.request(1, { ":path": "/fixed" })).roundTrip();
  expect(site.numbers("webapp", "shop")).toEqual({ underWay: 1 });
  expect(site.numbers("request", "shop", "fixed", "")).toEqual({});
  client.send(frame(frameType.windowUpdate, 0, 1, 5));
  expect(await client.response(1)).toMatchObject({ text: "fixed" });
  await turn();
  expect(site.numbers("webapp", "shop")).toEqual({});
  expect(site.numbers("request", "shop", "fixed", "")).toEqual({ status2xx: 1, sent: 5, durations: 1 });
});

test("counters go on after a reload that makes the components anew", async () => {
  await using site = await counting();
  await site.stage.inject({ url: "/" });
  const before = site.stage.inject({ url: "/hold-over" });
  await expect.poll(() => held.has("/hold-over")).toBe(true);
  const { departed } = await site.reload('rule { .maxContentSize = 1M refusing {} answering {} } rule "fixed" {}');
  await site.stage.inject({ url: "/" });
  expect(site.numbers("webapp", "shop")).toEqual({ underWay: 1 });
  held.get("/hold-over")?.();
  await before;
  await departed;
  await turn();
  expect(site.numbers("request", "shop", "", "answering")).toMatchObject({ status2xx: 3, durations: 3 });
  expect(site.numbers("webapp", "shop")).toEqual({});
});

test("many paths and hosts make no new slice", async () => {
  await using site = await counting();
  await site.stage.inject({ url: "/" });
  const before = site.metrics.report().length;
  for (let i = 0; i < 2000; i++) {
    await site.stage.inject({ url: `/path${i}`, headers: { host: `host${i}.example`, "user-agent": `agent${i}` } });
  }
  expect(site.metrics.report()).toHaveLength(before);
});

test("connections are counted for the server, and content in both directions", async () => {
  await using site = await counting();
  const part: { listensOn?: readonly string[] } = site.stage.find("httpxServer.main")?.part ?? {};
  const url = `http://${part.listensOn?.[0] ?? ""}/`;
  const response = await fetch(url, { method: "POST", body: "content", headers: { connection: "close" } });
  expect(await response.text()).toBe("hello");
  await expect.poll(() => site.numbers("server", "main", "httpxServer")).toEqual({ accepted: 1 });
  expect(site.numbers("request", "shop", "", "answering")).toMatchObject({ received: 7, sent: 5, status2xx: 1 });
});
