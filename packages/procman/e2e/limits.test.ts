// A limiter counts for all workers of a program, and a ban holds in all of them.

import { get } from "node:http";
import { expect, test, vi } from "vitest";
import { folderWith } from "./command.ts";
import { serve, type Program } from "./program.ts";

vi.setConfig({ testTimeout: 90_000 });

const config = (limiter: string) => `stage {
    webapp "site" {
        .hostnames = ("*")
        rule { limiter { ${limiter} } }
        rule $path == "/missing" { .returnCode = 404 }
        rule { nodeHandlet { .module = "./pid.ts" } }
    }
    httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
}
`;
const pid = `import type { IncomingMessage, ServerResponse } from "node:http";
export default (_req: IncomingMessage, res: ServerResponse) => void res.end(String(process.pid));
`;

/** On a connection of its own, so that the kernel chooses the worker. */
function ask({ port }: Program, path = "/"): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    get({ agent: false, host: "127.0.0.1", port, path }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    }).on("error", reject);
  });
}

test("a client gets its rate once, not once for each worker", async () => {
  await using folder = await folderWith({ "hemi.conf": config(".rate = 30 .per = 1h"), "pid.ts": pid });
  await using program = await serve(folder.path);
  let passed = 0;
  const workers = new Set<string>();
  for (let i = 0; i < 100; i++) {
    const { status, text } = await ask(program);
    if (status === 200) {
      passed++;
      workers.add(text);
    }
  }
  expect(workers.size).toBe(2);
  // A few more may pass within the milliseconds until the leader is told.
  expect(passed).toBeGreaterThanOrEqual(30);
  expect(passed).toBeLessThan(45);
  await program.end();
});

test("the only worker leaves the bans to the one that takes its place", async () => {
  const limiter = '.strike = ("404") .maxStrikes = 5 .ban = 1h';
  await using folder = await folderWith({ "hemi.conf": config(limiter), "pid.ts": pid });
  await using program = await serve(folder.path, "--workers", "1");
  for (let i = 0; i < 5; i++) await ask(program, "/missing");
  const status = async () => (await ask(program)).status;
  await expect.poll(status).toBe(403);
  await program.call("rework");
  await expect.poll(status).toBe(403);
  await program.end();
});

test("a client that is banned is banned in all workers, and by one that takes the place of another", async () => {
  const limiter = '.strike = ("404") .maxStrikes = 5 .ban = 1h';
  await using folder = await folderWith({ "hemi.conf": config(limiter), "pid.ts": pid });
  await using program = await serve(folder.path);
  for (let i = 0; i < 10; i++) await ask(program, "/missing");
  const statuses = async () => {
    const answers = await Promise.all(Array.from({ length: 16 }, () => ask(program)));
    return [...new Set(answers.map(({ status }) => status))];
  };
  await expect.poll(statuses).toEqual([403]);
  await program.call("rework");
  await expect.poll(statuses, { timeout: 10_000 }).toEqual([403]);
  await program.end();
});
