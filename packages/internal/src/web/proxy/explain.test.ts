import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { corePack } from "../../core-pack.ts";

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
