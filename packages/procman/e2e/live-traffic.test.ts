// `hemi logs --follow`: access lines of all workers as requests end.

import { expect, test, vi } from "vitest";
import { folderWith, run, start } from "./command.ts";
import { ask, serve } from "./program.ts";

vi.setConfig({ testTimeout: 300_000 });

const config = `stage {
    webapp "site" {
        .hostnames = ("*")
        rule "hello" $path ^= "/hello" { .returnText = "hello" }
        rule "broken" $path ^= "/broken" { .returnCode = 503 }
    }
    httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
}
`;

interface Line {
  readonly uri: string;
  readonly status: number;
  readonly component: string;
}

test("a follower gets the lines of all workers that it asks for, and no others", async () => {
  await using folder = await folderWith({ "hemi.conf": config });
  await using program = await serve(folder.path);
  const { follower } = await program.call("logs", { filter: { status: "5xx", path: "webapp.site" } });
  const paths = Array.from({ length: 40 }, (_, i) => `/broken/${i}`);
  await Promise.all(paths.flatMap((path) => [ask(program.port, path), ask(program.port, "/hello")]));
  const lines: Line[] = [];
  while (lines.length < paths.length) {
    const next = await program.call("logs", { follower });
    expect(next.dropped).toBe(0);
    lines.push(...next.lines.map((line) => JSON.parse(line) as Line));
  }
  expect(lines.map(({ uri }) => uri).sort()).toEqual(paths.toSorted());
  expect(new Set(lines.map(({ status, component }) => `${status} ${component}`))).toEqual(
    new Set(["503 webapp.site/rule.broken"]),
  );
});

test("hemi logs --follow goes on in workers that come later, until it is interrupted", async () => {
  await using folder = await folderWith({ "hemi.conf": config });
  await using program = await serve(folder.path);
  await using logs = start(["logs", "--follow", "--path", "/hello"], { cwd: folder.path });
  let shown = "";
  logs.child.stdout?.on("data", (chunk: Buffer) => (shown += chunk.toString()));
  const isShown = (path: string) => async () => {
    await ask(program.port, path);
    return shown;
  };
  await expect.poll(isShown("/hello/before"), { timeout: 60_000 }).toContain("/hello/before");
  await program.call("rework");
  await expect.poll(isShown("/hello/after"), { timeout: 60_000 }).toContain("/hello/after");
  expect(shown).toMatch(
    /^[\d:.]{12} 200 +[\d.]+ ms +5 GET http:\/\/127\.0\.0\.1:\d+\/hello\/before 127\.0\.0\.1 webapp/m,
  );
  logs.child.kill("SIGINT");
  await logs.finished();
  const refused = await run(["logs"], { cwd: folder.path });
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.stderr).toContain("logs shows requests as they end, and keeps none: hemi logs --follow");
});
