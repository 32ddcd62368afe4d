// The metrics of a program with several workers.

import { expect, test, vi } from "vitest";
import { folderWith, run, start } from "./command.ts";

// Each test starts several processes from sources, on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 90_000 });

const config = `stage {
    webapp "site" {
        .hostnames = ("*")
        rule "metrics" $path == "/metrics" { metrics { .maxAge = 0s } }
        rule "hello" { .returnText = "hello" }
    }
    httpxServer "main" {
        .webapps = ("site")
        .address = "127.0.0.1:0"
    }
}
`;

test("the sum over all workers survives their ends, and what they had open does not", async () => {
  await using folder = await folderWith({ "hemi.conf": config });
  await using command = start(["serve", "--workers", "2"], { cwd: folder.path });
  const [, port = ""] = await command.line(/listens on 127\.0\.0\.1:(\d+)/);
  await command.line(/leads 2 workers/);
  const ask = async (path: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: "close" } });
    return await response.text();
  };
  const answered = async (): Promise<number> => {
    const text = await ask("/metrics");
    return Number(/^hemi_requests_total\{webapp="site",rule="hello",handlet="",status="2xx"\} (\d+)/m.exec(text)?.[1]);
  };
  for (let i = 0; i < 40; i++) expect(await ask("/")).toBe("hello");
  expect(await answered()).toBe(40);
  const text = await ask("/metrics");
  for (const worker of [0, 1]) expect(text).toContain(`hemi_process_cpu_seconds_total{worker="${worker}"}`);

  expect((await run(["rework"], { cwd: folder.path })).code).toBe(0);
  for (let i = 0; i < 10; i++) await ask("/");
  // A worker that has finished its work tells its last numbers before it ends.
  await expect.poll(answered, { timeout: 30_000 }).toBe(50);

  const { stdout } = await run(["pids"], { cwd: folder.path });
  const [, victim] = stdout.trim().split(" ");
  process.kill(Number(victim), "SIGKILL");
  await command.line(/is replaced/);
  await expect.poll(answered, { timeout: 30_000 }).toBe(50);
});
