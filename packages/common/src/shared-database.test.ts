import { mkdtempDisposable } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { SharedDatabase } from "./shared-database.ts";

const schema = "CREATE TABLE IF NOT EXISTS item (name TEXT PRIMARY KEY)";

async function opened(count = 1) {
  const folder = await mkdtempDisposable(join(tmpdir(), "hemi-database-"));
  const path = join(folder.path, "a.sqlite");
  const databases = await Promise.all(Array.from({ length: count }, () => SharedDatabase.open(path, { schema })));
  return {
    path,
    databases,
    async [Symbol.asyncDispose]() {
      for (const database of databases) await database.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const names = (database: SharedDatabase) =>
  database.rows("SELECT name FROM item ORDER BY name").map(({ name }) => name);

test("several that write one database at once lose nothing", async () => {
  await using subject = await opened(4);
  await Promise.all(
    subject.databases.flatMap((database, i) =>
      Array.from({ length: 100 }, (_, j) =>
        database.change(() => database.run("INSERT INTO item VALUES (?)", `${i} ${j}`)),
      ),
    ),
  );
  expect(names(subject.databases[0] ?? expect.fail())).toHaveLength(400);
});

test("the event loop goes on while another process holds the lock", async () => {
  await using subject = await opened();
  const [database = expect.fail()] = subject.databases;
  const other = new DatabaseSync(subject.path);
  other.exec("BEGIN IMMEDIATE");
  let isDone = false;
  const written = database.change(() => database.run("INSERT INTO item VALUES ('a')")).then(() => (isDone = true));
  for (let turn = 0; turn < 100; turn++) await setImmediate();
  expect(isDone).toBe(false);
  expect(names(database)).toEqual([]);
  other.exec("COMMIT");
  await written;
  expect(names(database)).toEqual(["a"]);
  other.close();
});

test("a change that fails does not undo those beside it", async () => {
  await using subject = await opened();
  const [database = expect.fail()] = subject.databases;
  const insert = (name: string) => database.change(() => database.run("INSERT INTO item VALUES (?)", name));
  const outcomes = await Promise.allSettled([insert("a"), insert("a"), insert("b")]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(names(database)).toEqual(["a", "b"]);
});

test("while another process does not let go of the lock, all that wait fail together, not each after the other", async () => {
  await using subject = await opened();
  const [database = expect.fail()] = subject.databases;
  using other = new DatabaseSync(subject.path);
  other.exec("BEGIN IMMEDIATE");
  let failed = 0;
  const insert = (_: unknown, i: number) =>
    database
      .change(() => database.run("INSERT INTO item VALUES (?)", String(i)))
      .catch(() => {
        failed++;
      });
  // More than are written in one turn.
  const changes = Array.from({ length: 300 }, insert);
  await Promise.race(changes);
  await setImmediate();
  expect(failed).toBe(300);
  other.exec("COMMIT");
  await insert(undefined, 300);
  expect(names(database)).toEqual(["300"]);
});

test("what was asked for before the end is written", async () => {
  await using subject = await opened();
  const [database = expect.fail()] = subject.databases;
  const written = database.change(() => database.run("INSERT INTO item VALUES ('a')"));
  await database.close();
  expect(await written).toBe(1);
  await expect(database.change(() => 1)).rejects.toThrow("closed");
});
