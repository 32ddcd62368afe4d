import { readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import type { Walk } from "@hemi/hemi";
import { folderWith, run, start } from "./command.ts";

const config = `stage {
    httpxServer "main" {
        .webapps = ("shop")
        .address = "127.0.0.1:1"
    }
    httpxServer "other" {
        .webapps = ("shop")
        .address = ":2"
    }
    webapp "shop" {
        .hostnames = ("shop.example")
        .accessLog = ["file": %baseDir + "/logs/access.log"]
        rule "greeting" $header_x_name != "" { .returnText = "hello, " + $header_x_name }
        rule "near" $srcHost == "10.0.0.1" { .returnCode = 204 }
    }
}
`;

function explain(cwd: string, ...args: string[]) {
  return run(["explain", "-config", "shop.conf", ...args], { cwd });
}

describe("hemi explain", () => {
  test("prints the walk, with its places as they were written, and opens nothing", async () => {
    await using folder = await folderWith({ "shop.conf": config });
    const { code, stdout, stderr } = await explain(folder.path, "-H", "X-Name: Zoë", "http://shop.example:2/a");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("GET http://shop.example:2/a\n");
    expect(stdout).toContain('shop.conf:6:5   httpxServer "other"  http on :2            yes, listens there');
    expect(stdout).toContain('shop.conf:13:9  rule "greeting"');
    expect(stdout).not.toContain("\x1b");
    // No log, and no port below 1024 either.
    expect(await readdir(folder.path)).toEqual(["shop.conf"]);
  });

  test("gives the walk as JSON", async () => {
    await using folder = await folderWith({ "shop.conf": config });
    const args = ["--json", "--from", "10.0.0.1", "--server", "main", "DELETE", "https://shop.example/a?b"];
    const { code, stdout } = await explain(folder.path, ...args);
    expect(code).toBe(0);
    const walk = JSON.parse(stdout) as Walk;
    const place = (sign: string, name: string, path: string, line: number, column: number) => {
      return { sign, name, path, origin: { file: "shop.conf", line, column } };
    };
    const shop = place("webapp", "shop", "webapp.shop", 10, 5);
    expect(walk).toEqual({
      request: {
        method: "DELETE",
        url: "https://shop.example/a?b",
        target: "/a?b",
        authority: "shop.example",
        headers: [],
        srcHost: "10.0.0.1",
      },
      servers: [
        {
          server: place("httpxServer", "main", "httpxServer.main", 2, 5),
          listens: "http on 127.0.0.1:1",
          isReached: false,
          reason: "speaks http, not https",
        },
        {
          server: place("httpxServer", "other", "httpxServer.other", 6, 5),
          listens: "http on :2",
          isReached: false,
          reason: "speaks http, not https",
        },
      ],
      server: "httpxServer.main",
      host: {
        received: "shop.example",
        hostname: "shop.example",
        candidates: [{ webapp: shop, pattern: "shop.example", matches: true, wins: true, reason: "the exact name" }],
      },
      path: { received: "/a", encodedPath: "/a", path: "/a" },
      webapp: shop,
      rules: [
        {
          rule: place("rule", "greeting", "webapp.shop/rule.greeting", 13, 9),
          matches: "no",
          condition: {
            type: "compare",
            variable: "header_x_name",
            value: "",
            operator: "!=",
            patterns: [""],
            holds: false,
          },
        },
        {
          rule: place("rule", "near", "webapp.shop/rule.near", 14, 9),
          matches: "yes",
          condition: {
            type: "compare",
            variable: "srcHost",
            value: "10.0.0.1",
            operator: "==",
            patterns: ["10.0.0.1"],
            holds: true,
          },
          revisers: [],
          asked: [],
          answer: { takes: "yes", status: 204, text: "answers without content" },
        },
      ],
      outcome: { type: "answered", by: "webapp.shop/rule.near", status: 204, text: "answers without content" },
    });
  });

  test.each([
    ["http://shop.example:2/", "404  no rule takes it"],
    ["http://shop.example:3/", "no server listens there"],
    ["/", "421  no webapp of the server has its hostname"],
  ])("exits with 3 for %s, which nothing takes", async (url, outcome) => {
    await using folder = await folderWith({ "shop.conf": config });
    const { code, stdout } = await explain(folder.path, url);
    expect(code).toBe(3);
    expect(stdout).toContain(outcome);
  });

  test.each([
    [[], "explain needs a URL: hemi explain GET http://host/path"],
    [["GET", "/", "/"], "explain takes a method and a URL, not / too"],
    [["-H", "a", "/"], '-H takes "name: value", not "a"'],
  ])("refuses %j, with 1 and what to do", async (args, message) => {
    await using folder = await folderWith({ "shop.conf": config });
    const { code, stdout, stderr } = await explain(folder.path, ...args);
    expect([code, stdout, stderr]).toEqual([1, "", `hemi: ${message}\n`]);
  });

  test("has a help of its own", async () => {
    const { code, stdout } = await run(["help", "explain"]);
    expect([code, stdout.split("\n")[0]]).toEqual([0, "Usage: hemi explain [OPTION …] [METHOD] URL"]);
    expect((await run(["explain", "--help"])).stdout).toBe(stdout);
  });
});

test("hemi serve --dev shows the walk on the page for what no rule takes, and says so in the log", async () => {
  const text = config.replaceAll(/"(127.0.0.1)?:\d"/g, '"127.0.0.1:0"').replace('"shop.example"', '"*"');
  await using folder = await folderWith({ "dev.conf": text });
  await using command = start(["serve", "--dev", "-config", "dev.conf"], { cwd: folder.path });
  await command.line(/development mode/);
  const [, port] = await command.line(/listens on 127\.0\.0\.1:(\d+)/);
  const answer = await fetch(`http://127.0.0.1:${port}/a`);
  expect(await answer.text()).toContain('dev.conf:13:9  rule "greeting"');
});

describe("hemi explain tcp", () => {
  const door = `stage {
    tcpsBackend "ssh" { .nodes = (["address": "127.0.0.1:22"]) }
    tcpsRouter "door" {
        .address = ":443"
        case "ssh" $protocol == "ssh" { tcpsProxy { .toBackend = "ssh" } }
    }
}
`;

  test("tells the case, the dealet and the node of a connection", async () => {
    await using folder = await folderWith({ "shop.conf": door });
    const { code, stdout, stderr } = await explain(
      folder.path,
      "tcp",
      "10.0.0.1:5000",
      "--to",
      ":443",
      "--bytes",
      "SSH-2.0-",
    );
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("tcp from 10.0.0.1:5000 to :443\n");
    expect(stdout).toContain("joins it with node 127.0.0.1:22 of tcpsBackend.ssh");
  });

  test("exits with 3 where no case takes it, and with 1 where it is asked wrongly", async () => {
    await using folder = await folderWith({ "shop.conf": door });
    expect((await explain(folder.path, "tcp", "--to", ":443", "--bytes", "GET / HTTP/1.1\\r\\n")).code).toBe(3);
    expect((await explain(folder.path, "tcp", "--to", "443x")).stderr).toContain("--to takes an address");
    expect((await explain(folder.path, "--sni", "a", "GET", "/")).stderr).toContain("--sni is for connections");
  });
});
