import { describe, expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { corePack } from "../../core-pack.ts";
import { walkText } from "../explain/walk-text.ts";

describe("a request that wants to leave HTTP", () => {
  const socklet = 'sockProxy { .toBackend = "app" }';
  const explain = async (socklets: string, fields: Readonly<Record<string, string>>) => {
    await using stage = await bootWith([corePack]).bootText(`stage {
      http1Backend "app" { .nodes = (["address": "10.0.0.1:80", "weight": 2], ["address": "10.0.0.2:80"]) }
      webapp "shop" {
        .hostnames = ("*")
        rule { ${socklets} httpProxy { .toBackend = "app" } }
      }
      httpxServer "main" { .webapps = ("shop") .address = ":80" }
    }`);
    const headers = { connection: "Upgrade", ...fields };
    const walk = await stage.explain({ url: "http://shop.example/room", headers });
    return { ...walk, told: walkText(walk) };
  };
  const key = { "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version": "13" };

  test("would be passed on by the socklet, to the node whose turn it is", async () => {
    const { told, outcome } = await explain(socklet, { upgrade: "websocket", ...key });
    expect(told).toMatch(
      /socklet sockProxy +asks http1Backend\.app for GET \/room of shop\.example, and to switch to websocket +takes it/,
    );
    expect(told).toContain("node 10.0.0.1:80: it is its turn");
    expect(told).toContain("node 10.0.0.2:80: another was better");
    expect(told).not.toContain("handlet");
    expect(outcome).toMatchObject({ type: "answered", by: "webapp.shop/rule/sockProxy" });
  });

  test("would be refused by it without a key", async () => {
    const { outcome } = await explain(socklet, { upgrade: "websocket" });
    expect(outcome).toMatchObject({ type: "answered", by: "webapp.shop/rule/sockProxy", status: 400 });
  });

  test("goes on to the handlets where the socklet is for other protocols", async () => {
    const { told, outcome } = await explain(socklet, { upgrade: "other" });
    expect(told).toMatch(/socklet sockProxy +passes websocket on, not other +leaves it/);
    expect(outcome).toMatchObject({ type: "answered", by: "webapp.shop/rule/httpProxy" });
  });

  test("would be passed on by httpProxy where there is no socklet", async () => {
    const { told, outcome } = await explain("", { upgrade: "websocket", ...key });
    expect(told).toMatch(
      /handlet httpProxy +asks http1Backend\.app for GET \/room of shop\.example, and to switch to websocket/,
    );
    expect(told).not.toContain("no socklet");
    expect(outcome).toMatchObject({ type: "answered", by: "webapp.shop/rule/httpProxy" });
  });

  test("is one as any other where nobody passes it on", async () => {
    const { told, outcome } = await explain("", { upgrade: "h2c" });
    expect(told).toMatch(/no socklet +so that its upgrade is ignored here/);
    expect(outcome).toMatchObject({ type: "answered", by: "webapp.shop/rule/httpProxy" });
  });

  test("is not spoken of where it does not say so in the field connection", async () => {
    const { told } = await explain(socklet, { connection: "close", upgrade: "websocket" });
    expect(told).not.toContain("socklet");
  });
});

test("hemi explain tells what a backend is asked for, and which of its nodes would be", async () => {
  const boot = bootWith([corePack]);
  await using stage = await boot.bootText(`stage {
    http1Backend "app" {
      .nodes = (
        ["address": "10.0.0.1:80", "weight": 2],
        ["address": "10.0.0.2:80"],
        ["address": "10.0.0.3:80", "backup": true],
        ["address": "app.example:80"],
      )
    }
    webapp "shop" {
      .hostnames = ("*")
      rule { httpProxy { .toBackend = "app" .stripPrefix = "/api" .hostname = "inner.example" } }
    }
    httpxServer "main" { .webapps = ("shop") .address = ":80" }
  }`);
  const told = JSON.stringify(await stage.explain({ url: "http://shop.example/api/a?b" }));
  expect(told).toContain("asks http1Backend.app for GET /a?b of inner.example");
  expect(told).toContain("node 10.0.0.1:80: it is its turn");
  expect(told).toContain("node 10.0.0.2:80: another was better");
  expect(told).toContain("node 10.0.0.3:80: is a backup, and others can take it");
  expect(told).toContain("node app.example:80: its name has not been looked up");
});
