import { mkdtempDisposable, rm, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bootWith } from "../../boot.ts";
import { openErrorLog } from "../../log/error-log.ts";
import { MemorySink } from "../../log/sink.ts";
import { lockServiceTests } from "../../testing/lock-service-tests.ts";
import type { LockService } from "./lock-service.ts";

const newFolder = () => mkdtempDisposable(join(tmpdir(), "hemi-locks-"));

async function programIn(folder: string) {
  const text = `stage { sqliteLocks "s" { .file = "${folder}/l.sqlite" } }`;
  const stage = await bootWith([]).bootText(text, { log: openErrorLog({ sink: new MemorySink() }) });
  await stage.start();
  const service = stage.find("sqliteLocks.s")?.part;
  if (service === undefined || !isLockService(service)) throw new Error("there are no locks");
  return { stage, service };
}

function isLockService(part: object): part is LockService {
  return "acquireLock" in part;
}

async function makeServices() {
  const folder = await newFolder();
  const [one, two] = [await programIn(folder.path), await programIn(folder.path)];
  return {
    service: one.service,
    other: two.service,
    folder: folder.path,
    async [Symbol.asyncDispose]() {
      await one.stage.quit();
      await two.stage.quit();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test.concurrent.each(lockServiceTests(makeServices))("$name", ({ run }) => run());

test("while another process holds the database, locks wait and the event loop goes on", async () => {
  await using services = await makeServices();
  using database = new DatabaseSync(join(services.folder, "l.sqlite"));
  database.exec("BEGIN IMMEDIATE");
  const locking = services.service.acquireLock("a", { ttl: 60_000 });
  let turns = 0;
  while (turns < 20) await new Promise((resolve) => setTimeout(() => resolve(turns++), 1));
  database.exec("COMMIT");
  expect((await locking)?.name).toBe("a");
});

test("tokens rise, too, when somebody has removed the database", async () => {
  await using folder = await newFolder();
  const tokens = [];
  for (let i = 0; i < 3; i++) {
    const { stage, service } = await programIn(folder.path);
    await using lock = (await service.acquireLock("a", { ttl: 60_000 })) ?? expect.fail();
    tokens.push(lock.token);
    await lock.release();
    await stage.quit();
    await rm(join(folder.path, "l.sqlite"));
  }
  expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
});

test("a lock that nobody else has is kept over a clock that jumps ahead", async () => {
  await using services = await makeServices();
  await using lock = (await services.service.acquireLock("a", { ttl: 60_000 })) ?? expect.fail();
  using database = new DatabaseSync(join(services.folder, "l.sqlite"));
  database.exec("UPDATE lock SET expires_at = expires_at - 3600000");
  await lock.renew();
  expect(await services.other.acquireLock("a", { ttl: 60_000 })).toBeUndefined();
  database.exec("UPDATE lock SET expires_at = expires_at - 3600000");
  await using next = (await services.other.acquireLock("a", { ttl: 60_000 })) ?? expect.fail();
  await expect(lock.renew()).rejects.toThrow("somebody else has it");
  expect(next.token).toBeGreaterThan(lock.token);
});

test("a file that is no database is told at its prop", async () => {
  await using folder = await newFolder();
  await writeFile(join(folder.path, "l.sqlite"), "this is no database, but a text that somebody has put there");
  await expect(programIn(folder.path)).rejects.toThrow("l.sqlite cannot be used");
});
