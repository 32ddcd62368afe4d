// The commands that show what a running program does.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { folderWith, run, start } from "./command.ts";

// Each test starts several processes from sources, on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 120_000 });

const config = `stage {
    webapp "site" {
        .hostnames = ("*")
        rule "hello" { .returnText = "hello" }
    }
    httpxServer "main" {
        .webapps = ("site")
        .address = "127.0.0.1:0"
    }
}
`;

async function program() {
  const folder = await folderWith({ "hemi.conf": config });
  const command = start(["serve", "--workers", "1"], { cwd: folder.path });
  const [, port = ""] = await command.line(/listens on 127\.0\.0\.1:(\d+)/);
  await command.line(/leads 1 worker/);
  return {
    path: folder.path,
    ask: () => fetch(`http://127.0.0.1:${port}/`).then((response) => response.text()),
    run: (...args: readonly string[]) => run(args, { cwd: folder.path }),
    async [Symbol.asyncDispose]() {
      await command[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test("top and status show the rates of components", async () => {
  await using site = await program();
  const shown = site.run("top", "--once", "--json", "--for", "3s");
  let isOver = false;
  let asked = 0;
  void shown.then(() => (isOver = true));
  while (!isOver) {
    await site.ask();
    asked++;
  }
  const { components, time } = JSON.parse((await shown).stdout) as {
    time: number;
    components: { path: string; rate: number }[];
  };
  const rate = components.find(({ path }) => path === "webapp.site/rule.hello")?.rate ?? 0;
  expect(time).toBeGreaterThanOrEqual(3);
  expect(rate * time).toBeGreaterThan(0);
  expect(rate * time).toBeLessThanOrEqual(asked + 1);

  const { stdout } = await site.run("status");
  expect(stdout).toMatch(/^workers +1 ready, of 1$/m);
  expect(stdout).toMatch(/^webapp\.site\/rule\.hello +[\d.]+ /m);
  const { stdout: table } = await site.run("top", "--once");
  expect(table).toMatch(/^component +req\/s +err\/s +p50 ms +p99 ms +out\/s +now$/m);
  expect((await site.run("top")).stderr).toContain("top needs a terminal; hemi top --once prints one table");
});

test("profiles are written while the worker serves, and one at a time", async () => {
  await using site = await program();
  const measured = site.run("cpu", "--for", "4s", "--out", "a.cpuprofile");
  // The first one is under way as soon as its file is there.
  await expect
    .poll(() => readFile(join(site.path, "a.cpuprofile")).catch(() => null), { timeout: 60_000 })
    .not.toBeNull();
  const refused = await site.run("cpu", "--for", "1s");
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toContain("worker 0 is making another profile");
  expect(await site.ask()).toBe("hello");
  expect((await measured).stdout).toMatch(/a\.cpuprofile: .* it stood still for [\d.]+ ms$/m);
  const profile = JSON.parse(await readFile(join(site.path, "a.cpuprofile"), "utf8")) as { nodes: unknown[] };
  expect(profile.nodes.length).toBeGreaterThan(1);

  const again = await site.run("cpu", "--for", "1s", "--out", "a.cpuprofile");
  expect(again.stderr).toContain("a.cpuprofile cannot be written");
  expect((await site.run("report", "--out", "report.json")).code).toBe(0);
  const report = JSON.parse(await readFile(join(site.path, "report.json"), "utf8")) as { header: { event: string } };
  expect(report.header.event).toBe("JavaScript API");
  expect((await site.run("heap", "--out", "a.heapsnapshot")).code).toBe(0);
  expect((await readFile(join(site.path, "a.heapsnapshot"), "utf8")).slice(0, 12)).toBe('{"snapshot":');
  const absent = await site.run("heap", "--worker", "7");
  expect(absent).toMatchObject({ code: 1 });
  expect(absent.stderr).toContain("no worker 7 is ready; there are: 0");
});

test("a worker that ends while it is measured is named, and so is the file that is not complete", async () => {
  await using site = await program();
  const { stdout } = await site.run("workers", "--json");
  const [{ pid }] = JSON.parse(stdout) as [{ readonly pid: number }];
  const measured = site.run("cpu", "--for", "5m", "--out", "a.cpuprofile");
  await expect
    .poll(() => readFile(join(site.path, "a.cpuprofile")).catch(() => null), { timeout: 60_000 })
    .not.toBeNull();
  process.kill(pid, "SIGKILL");
  const { code, stderr } = await measured;
  expect(code).toBe(2);
  expect(stderr).toContain(`worker 0, process ${pid}, has ended before it had answered: `);
  expect(stderr).toContain("a.cpuprofile is not complete");
  expect(await site.ask()).toBe("hello");
});
