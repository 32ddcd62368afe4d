import { bootWith, MemorySink, openErrorLog } from "@hemi/internal";
import { expect, test } from "vitest";
import contribHandlets from "./index.ts";
import { serveSite } from "./testing/serve-site.ts";

test("a site without backends is alive, started and ready, and other paths are not its own", async () => {
  await using site = await serveSite("health {}");
  expect(await site.ask("GET /livez")).toMatchObject({ status: 200, text: '{"status":"ok"}' });
  expect(await site.ask("GET /startupz")).toMatchObject({ status: 200, text: '{"status":"ok"}' });
  expect(await site.ask("GET /readyz")).toMatchObject({ status: 200, text: '{"status":"ok","components":[]}' });
  expect((await site.ask("GET /livezz")).text).toBe("passed");
  expect((await site.ask("POST /livez")).status).toBe(405);
});

test("a stage that drains is alive, and not ready", async () => {
  await using site = await serveSite("health {}");
  site.stage.readiness.drain();
  expect(await site.ask("GET /readyz")).toMatchObject({ status: 503, text: '{"status":"draining","components":[]}' });
  expect((await site.ask("GET /livez")).status).toBe(200);
  expect((await site.ask("GET /startupz")).status).toBe(200);
});

async function proxying(health: string) {
  const stage = await bootWith([contribHandlets]).bootText(
    `stage {
      http1Backend "api" {
        .nodes = (["address": "127.0.0.1:1"])
        .healthCheck = "tcp" .healthInterval = 10ms .healthFall = 1
      }
      webapp "site" { .hostnames = ("*") rule { ${health} } rule { httpProxy { .toBackend = "api" } } }
      httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ sink: new MemorySink() }) },
  );
  await stage.start();
  return stage;
}

test("a backend without a usable node makes the stage unready, and the response says why", async () => {
  await using stage = await proxying("health {}");
  await expect.poll(async () => (await stage.inject({ url: "/readyz" })).status).toBe(503);
  const { text } = await stage.inject({ url: "/readyz" });
  expect(JSON.parse(text)).toEqual({
    status: "unready",
    components: [{ path: "http1Backend.api", reason: "no node can be used: 127.0.0.1:1 is down" }],
  });
  await stage.reload({
    text: `stage {
      webapp "site" { .hostnames = ("*") rule { health {} } }
      httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
    }`,
  });
  await expect.poll(async () => (await stage.inject({ url: "/readyz" })).status).toBe(200);
});

test("a component that is ignored is named, and does not count", async () => {
  await using stage = await proxying('health { .ignore = ("http1Backend.api") }');
  const components = async () => {
    const { status, text } = await stage.inject({ url: "/readyz" });
    expect(status).toBe(200);
    return (JSON.parse(text) as { components: unknown[] }).components;
  };
  await expect.poll(components).toHaveLength(1);
  expect(await components()).toMatchObject([{ path: "http1Backend.api", isIgnored: true }]);
});
