// Processes that are killed while they serve.

import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { expect, test, vi } from "vitest";
import { folderWith } from "./command.ts";
import { load } from "./load.ts";
import { serve, type Program } from "./program.ts";

vi.setConfig({ testTimeout: 90_000 });

/** Answers `PID begin`, and ` end` when it is told to by a request to the same worker, or by the end of its leader. */
const pack = `import { defineHandlet, pack } from "${import.meta.resolve("@hemi/hemi")}";
  const slow = defineHandlet({
    sign: "slow",
    create: () => ({
      async handle(_req, resp) {
        await resp.echo(process.pid + " begin");
        await new Promise((resolve) => process.once("disconnect", resolve));
        await resp.echo(" end");
        resp.end();
        return true;
      },
    }),
  });
  export default pack("test", [slow]);`;

const site = `stage {
  webapp "a" { .hostnames = ("*") rule $path == "/slow" { slow {} } rule { .returnText = "a" } }
  httpxServer "main" { .webapps = ("a") .address = "127.0.0.1:0" }
}
`;

interface SlowAnswer {
  /** The worker that answers. */
  readonly pid: number;
  /** All of it, or "broken". */
  readonly rest: Promise<string>;
}

async function askSlowly({ port }: Program): Promise<SlowAnswer> {
  const [response] = (await once(get({ host: "127.0.0.1", port, path: "/slow", agent: false }), "response")) as [
    IncomingMessage,
  ];
  const [chunk] = (await once(response, "data")) as [Buffer];
  let text = chunk.toString();
  response.on("data", (more: Buffer) => (text += more.toString()));
  const rest = new Promise<string>((resolve) => {
    response.on("end", () => resolve(text)).on("error", () => resolve("broken"));
  });
  return { pid: Number.parseInt(text), rest };
}

/** Answers of both workers. */
async function slowAnswers(program: Program): Promise<readonly SlowAnswer[]> {
  const answers = await Promise.all(Array.from({ length: 16 }, () => askSlowly(program)));
  expect(new Set(answers.map(({ pid }) => pid)).size).toBe(2);
  return answers;
}

test("a worker that is killed takes only its own requests with it, also under load", async () => {
  await using folder = await folderWith({ "hemi.conf": site, "pack.mjs": pack });
  await using program = await serve(folder.path, "--use", "./pack.mjs");
  const slow = await slowAnswers(program);
  const clients = load(program.port, { kept: 4, anew: 4 });
  const killed = slow[0]?.pid ?? 0;
  process.kill(killed, "SIGKILL");
  await program.command.line(/was ended by SIGKILL, and is replaced/);
  await expect.poll(async () => (await program.call("pids")).workers.length, { timeout: 20_000 }).toBe(2);
  const before = clients.answered;
  await expect.poll(() => clients.answered, { timeout: 20_000 }).toBeGreaterThan(before + 20);
  await clients.stop();
  // What was in flight: at most one request of each client.
  expect(clients.failed.length).toBeLessThanOrEqual(8);
  for (const { pid, rest } of slow) if (pid === killed) expect(await rest).toBe("broken");
  // The others end in order, when their leader is gone.
  program.command.child.kill("SIGKILL");
  for (const { pid, rest } of slow) if (pid !== killed) expect(await rest).toBe(`${pid} begin end`);
});

test("a leader that is killed takes no request with it", async () => {
  await using folder = await folderWith({ "hemi.conf": site, "pack.mjs": pack });
  await using program = await serve(folder.path, "--use", "./pack.mjs");
  const slow = await slowAnswers(program);
  program.command.child.kill("SIGKILL");
  for (const { pid, rest } of slow) expect(await rest).toBe(`${pid} begin end`);
});
