import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { linkedWorkers } from "../../testing/linked-workers.ts";
import { staterSite } from "../../testing/stater-site.ts";
import { staterTests } from "../../testing/stater-tests.ts";

const newFolder = () => mkdtempDisposable(join(tmpdir(), "hemi-sessions-"));
const staterIn = (folder: string, more = "") =>
  `localStater "s" { .file = "${folder}/s.sqlite" .onDown = "refuse" ${more} }`;

async function makeStater() {
  const folder = await newFolder();
  const site = await staterSite(staterIn(folder.path));
  return {
    stater: site.stater,
    wait: site.wait,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

test.each(staterTests(makeStater))("$name", ({ run }) => run());

const change = (name: string, json: string) => [{ name, json }];

async function tokenOf(stater: { write(token: undefined, changes: ReturnType<typeof change>): Promise<unknown> }) {
  const { token } = (await stater.write(undefined, change("a", "1"))) as { readonly token: string };
  return token;
}

test("sessions outlive the program, and the file does not tell their tokens", async () => {
  await using folder = await newFolder();
  const token = await (async () => {
    await using site = await staterSite(staterIn(folder.path));
    return await tokenOf(site.stater);
  })();
  expect((await readFile(join(folder.path, "s.sqlite"))).includes(token)).toBe(false);
  await using site = await staterSite(staterIn(folder.path));
  expect(await site.stater.find(token)).toEqual(new Map([["a", { json: "1", version: 1 }]]));
});

test("workers share sessions, and lose no change of each other", async () => {
  await using folder = await newFolder();
  const [one, two] = linkedWorkers(2);
  await using first = await staterSite(staterIn(folder.path), undefined, { workers: one });
  await using second = await staterSite(staterIn(folder.path), undefined, { workers: two });
  const token = await tokenOf(first.stater);
  await Promise.all(
    [first, second].flatMap(({ stater }, i) =>
      Array.from({ length: 50 }, (_, j) => stater.write(token, change(`${i} ${j}`, "1"))),
    ),
  );
  expect((await second.stater.find(token))?.size).toBe(101);
});

test("what has expired is removed when a program starts", async () => {
  await using folder = await newFolder();
  {
    await using site = await staterSite(staterIn(folder.path));
    site.wait(-2 * 86_400);
    await Promise.all(Array.from({ length: 1200 }, () => site.stater.write(undefined, change("a", "1"))));
    site.wait(2 * 86_400 - 10);
    await tokenOf(site.stater);
  }
  await using _ = await staterSite(staterIn(folder.path));
  using database = new DatabaseSync(join(folder.path, "s.sqlite"), { readOnly: true });
  const counts = database.prepare("SELECT (SELECT count(*) FROM session) AS s, (SELECT count(*) FROM entry) AS e");
  await expect.poll(() => ({ ...counts.get() })).toEqual({ s: 1, e: 1 });
});

test("a session that is too large is refused, and stays as it was", async () => {
  await using folder = await newFolder();
  await using site = await staterSite(staterIn(folder.path, ".maxSessionSize = 1K"));
  const token = await tokenOf(site.stater);
  await expect(site.stater.write(token, change("b", "1".repeat(2000)))).rejects.toThrow("maxSessionSize is 1024");
  expect((await site.stater.find(token))?.size).toBe(1);
});

test("the configuration has to say what happens when the store is down, and a bad file is told at its prop", async () => {
  await using folder = await newFolder();
  await expect(staterSite('localStater "s" {}')).rejects.toThrow("onDown");
  await writeFile(join(folder.path, "s.sqlite"), "this is no database, but a text that somebody has put there");
  await expect(staterSite(staterIn(folder.path))).rejects.toThrow("s.sqlite cannot be used");
});

test("a flood of clients without cookies fills no disk, and ends no session of a client that came back", async () => {
  await using folder = await newFolder();
  await using site = await staterSite(staterIn(folder.path, ".maxSessions = 20"));
  const [used, unused] = [await tokenOf(site.stater), await tokenOf(site.stater)];
  expect(await site.stater.find(used)).toBeDefined();
  site.wait(1);
  await Promise.all(Array.from({ length: 500 }, () => tokenOf(site.stater)));
  using database = new DatabaseSync(join(folder.path, "s.sqlite"), { readOnly: true });
  expect({ ...database.prepare("SELECT count(*) AS sessions FROM session").get() }).toEqual({ sessions: 20 });
  expect(await site.stater.find(used)).toBeDefined();
  expect(await site.stater.find(unused)).toBeUndefined();
});

test("while another process keeps the database locked, sessions are read, changes fail, and both go on after it", async () => {
  await using folder = await newFolder();
  await using site = await staterSite(staterIn(folder.path));
  const { stater } = site;
  const token = await tokenOf(stater);
  using database = new DatabaseSync(join(folder.path, "s.sqlite"));
  database.exec("BEGIN IMMEDIATE");
  const [found, changed] = await Promise.allSettled([stater.find(token), stater.write(token, change("a", "2"))]);
  expect(found).toMatchObject({ status: "fulfilled", value: new Map([["a", expect.objectContaining({ json: "1" })]]) });
  expect(changed).toMatchObject({ status: "rejected", reason: expect.objectContaining({ code: "ERR_SQLITE_ERROR" }) });
  database.exec("COMMIT");
  expect(await stater.write(token, change("a", "3"))).toMatchObject({ token });
  expect((await stater.find(token))?.get("a")?.json).toBe("3");
});

test("a session from while the clock was ahead does not last for longer, and a clock put back a little ends none", async () => {
  await using site = await makeStater();
  const token = await tokenOf(site.stater);
  site.wait(-3600);
  expect((await site.stater.find(token))?.size).toBe(1);
  site.wait(-2 * 24 * 3600);
  expect(await site.stater.find(token)).toBe(undefined);
});

test(
  "on a full disk, sessions are read, changes follow .onDown, and both go on with room",
  { timeout: 60_000 },
  async () => {
    await using folder = await newFolder();
    const program = fileURLToPath(new URL("../../testing/sessions-on-full-disk.ts", import.meta.url));
    const args = ["--conditions=@hemi/source", program, folder.path].map((arg) => `"${arg}"`).join(" ");
    const command = `ulimit -S -f 400; exec "${process.execPath}" ${args}`;
    const child = spawn("bash", ["-c", command], { stdio: ["ignore", "pipe", "inherit"] });
    const output = await text(child.stdout);
    expect(output).toContain(
      [
        "/read 200 Ann",
        "/change 503 503 Service Unavailable\n",
        "/read 200 Ann",
        ...["/change 200 Ann", "/read 200 Ann"],
      ].join("\n"),
    );
    expect(output).toContain("error webapp.site a session could not be changed requests=1\n");
    expect(output).toContain("error localStater.s that a session is in use could not be stored");
  },
);
