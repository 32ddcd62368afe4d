// pgsqlProxy between a real server and real clients: psql, pgbench, and the driver `pg`.

import { execFile } from "node:child_process";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pgsqlProxy from "@hemi/contrib-pgsql-proxy";
import { bootText, type RouterPart, type Stage } from "@hemi/hemi";
import pg from "pg";
import { afterAll, expect, test, type TestContext } from "vitest";
import { peer } from "../src/peers.ts";
import { startPostgres } from "../src/postgres.ts";

const run = promisify(execFile);
const patience = { timeout: 120_000 };

/** Most tests share one server, because making one takes long; those that stop it, or that need TLS, have their own. */
let shared: Awaited<ReturnType<typeof startPostgres>> | undefined;
const sharedServer = async (context: TestContext) => (shared ??= await startPostgres(context, { password: "geheim" }));
afterAll(() => shared?.[Symbol.asyncDispose](), 60_000);

const ann = '.users = (["name": "ann", "password": "geheim"])';

async function proxy(context: TestContext, port: number, props = "", backend = "", users = ann) {
  const stage: Stage = await bootText(
    `stage {
      tcpsBackend "db" { .nodes = (["address": "127.0.0.1:${port}"]) .maxFails = 0 ${backend} }
      tcpsRouter "main" {
        .address = "127.0.0.1:0"
        case { pgsqlProxy { .toBackend = "db" ${users} ${props} } }
      }
    }`,
    { use: [pgsqlProxy] },
  );
  await stage.start();
  const part: RouterPart = stage.find("tcpsRouter.main")?.part ?? {};
  const own = Number(/:(\d+)$/.exec(part.listensOn?.[0] ?? "")?.[1]);
  const settings = { host: "127.0.0.1", port: own, user: "ann", password: "geheim", database: "postgres" };
  const psql = peer("psql", context);
  return {
    port: own,
    settings,
    async connect(more: pg.ClientConfig = {}) {
      const client = new pg.Client({ ...settings, ...more });
      client.on("error", () => undefined);
      await client.connect();
      return client;
    },
    async psql(...args: string[]) {
      const at = ["-h", "127.0.0.1", "-p", String(own), "-U", "ann", "-At", "-v", "ON_ERROR_STOP=1"];
      const result = run(psql, [...at, ...args, "postgres"], { env: { ...process.env, PGPASSWORD: "geheim" } });
      return await result.then(
        ({ stdout }) => stdout.trim(),
        (error: unknown) => (error instanceof Error && "stderr" in error ? String(error.stderr) : String(error)),
      );
    },
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

const pidOf = async (client: pg.Client) =>
  (await client.query<{ pid: number }>("select pg_backend_pid() as pid")).rows[0]?.pid;

test("psql logs in by SCRAM at the proxy, and the proxy at the server", patience, async (context) => {
  const server = await sharedServer(context);
  await using site = await proxy(context, server.port, "", '.healthCheck = "postgres" .healthInterval = 100ms');
  expect(await site.psql("-c", "select 6*7")).toBe("42");
  const wrong = run(
    peer("psql", context),
    ["-h", "127.0.0.1", "-p", String(site.port), "-U", "ann", "-c", "x", "postgres"],
    {
      env: { ...process.env, PGPASSWORD: "wrong" },
    },
  );
  await expect(wrong).rejects.toThrow("password authentication failed for user");
  await expect(site.connect({ user: "nobody" })).rejects.toMatchObject({ code: "28P01" });
  await expect(site.connect({ database: "nowhere" })).rejects.toMatchObject({ code: "3D000" });
});

test(
  "many clients take turns on one connection by transaction, and each finds its own session",
  patience,
  async (context) => {
    const server = await sharedServer(context);
    await using site = await proxy(context, server.port, ".poolSize = 1");
    const clients = await Promise.all(
      ["UTC", "Europe/Berlin", "Asia/Tokyo"].map((zone, i) =>
        site.connect({ application_name: `client ${i}`, ...{ TimeZone: zone } }),
      ),
    );
    for (const [i, client] of clients.entries()) {
      const { rows } = await client.query<{ name: string }>("select current_setting('application_name') as name");
      expect(rows[0]?.name).toBe(`client ${i}`);
    }
    expect(new Set(await Promise.all(clients.map(pidOf))).size).toBe(1);
    const [first, second] = clients;
    if (first === undefined || second === undefined) throw new Error("no clients");
    await first.query("begin");
    let hasAnswer = false;
    const waiting = second.query("select 1").then(() => (hasAnswer = true));
    await first.query("select 2");
    expect(hasAnswer).toBe(false);
    await first.query("commit");
    await waiting;
    // What one client sets, the next one does not find.
    await first.query("set statement_timeout = '77s'");
    expect((await second.query("show statement_timeout")).rows).toEqual([{ statement_timeout: "0" }]);
    await Promise.all(clients.map((client) => client.end()));
  },
);

test("prepared statements follow their client to other servers", patience, async (context) => {
  const server = await sharedServer(context);
  await using site = await proxy(context, server.port, ".poolSize = 3 .maxStatements = 4");
  const clients = await Promise.all([1, 2, 3, 4, 5, 6].map(() => site.connect()));
  for (let round = 0; round < 5; round++) {
    await Promise.all(
      clients.map(async (client, i) => {
        const named = {
          name: `same${round % 3}`,
          text: `select $1::int + ${i % 2} + ${round % 3} as sum`,
          values: [round],
        };
        expect((await client.query<{ sum: number }>(named)).rows).toEqual([{ sum: round + (i % 2) + (round % 3) }]);
      }),
    );
  }
  const [client] = clients;
  await expect(client?.query({ name: "bad", text: "select nothing_there" })).rejects.toMatchObject({ code: "42703" });
  await expect(client?.query({ name: "bad2", text: "select nothing_there" })).rejects.toMatchObject({ code: "42703" });
  expect((await client?.query("select 1 as one"))?.rows).toEqual([{ one: 1 }]);
  await client?.query("deallocate all");
  await Promise.all(clients.map((each) => each.end()));
});

test("temporary tables of every kind of statement are gone for the next client", patience, async (context) => {
  const server = await sharedServer(context);
  await using site = await proxy(context, server.port, ".poolSize = 1");
  const [first, next] = [await site.connect(), await site.connect()];
  const pid = await pidOf(first);
  await first.query("create temporary table as_one as select 1 as secret");
  await expect(next.query("select * from as_one")).rejects.toMatchObject({ code: "42P01" });
  await first.query({ text: "select $1::int as secret into temporary into_one", values: [1] });
  await expect(next.query("select * from into_one")).rejects.toMatchObject({ code: "42P01" });
  await first.query("create type pg_temp.kind as enum ('a')");
  await expect(next.query("select 'a'::pg_temp.kind")).rejects.toThrow();
  expect(await pidOf(next)).toBe(pid);
  await Promise.all([first.end(), next.end()]);
});

test("nothing that a client sets, in whatever way, reaches the next client", patience, async (context) => {
  const server = await sharedServer(context);
  await using site = await proxy(context, server.port, ".poolSize = 1");
  const [first, next] = [await site.connect(), await site.connect()];
  const become =
    "create function become() returns int language sql as $$ select set_config('hemi.who', 'first', false)";
  await first.query(`${become}; select 1 $$`);
  await first.query("create table watched (id int)");
  await first.query(`create function fired() returns trigger language plpgsql as $$ begin
    perform become(); perform pg_advisory_lock(7); return new; end $$`);
  await first.query("create trigger watch before insert on watched for each row execute function fired()");
  const ways: readonly (string | pg.QueryConfig)[] = [
    "select set_config('hemi.who', 'first', false)",
    "SELECT Set_Config/**/('hemi.who', 'first', false)",
    "select U&\"set!005fconfig\" uescape '!' ('hemi.who', 'first', false)",
    { text: "select set_config('hemi.who', $1, false)", values: ["first"] },
    { name: "named", text: "select set_config('hemi.who', $1, false)", values: ["first"] },
    { name: "named", text: "select set_config('hemi.who', $1, false)", values: ["first"] },
    "select become()",
    "do 'begin perform become(); end'",
    "insert into watched values (1)",
    "insert into watched select case n when 2 then 1 / 0 else n end from generate_series(1, 2) as n",
    "with written as (insert into watched values (1) returning id) select * from written",
    `with written as (with rows as (select 1) insert into watched select * from rows returning id)
      select * from written`,
    "select become() from generate_series(1, 2) where 1 / 0 > 1 or pg_advisory_lock(7) is null",
    "set hemi.who = 'first'",
    "prepare mine as select become()",
  ];
  for (const way of ways) {
    await first.query(way).catch(() => undefined);
    const text = `select coalesce(current_setting('hemi.who', true), '') as who,
      (select count(*)::int from pg_locks where locktype = 'advisory') as locks,
      (select count(*)::int from pg_prepared_statements where name = 'mine') as mine`;
    expect((await next.query(text)).rows, JSON.stringify(way)).toEqual([{ who: "", locks: 0, mine: 0 }]);
  }
  // A read shows nothing of what a view does.
  await first.query("create view viewed as select become()");
  await using strict = await proxy(context, server.port, ".poolSize = 1 .alwaysReset = true");
  const [third, fourth] = [await strict.connect(), await strict.connect()];
  await third.query("table viewed");
  const { rows } = await fourth.query("select coalesce(current_setting('hemi.who', true), '') as who");
  expect(rows).toEqual([{ who: "" }]);
  await Promise.all([first, next, third, fourth].map((client) => client.end()));
});

test("what a client begins with holds in each of its transactions, and for nobody else", patience, async (context) => {
  const server = await sharedServer(context);
  await using site = await proxy(context, server.port, ".poolSize = 1");
  const first = await site.connect({ statement_timeout: 7777, options: "-c search_path=pg_catalog -c work_mem=3MB" });
  const next = await site.connect();
  const of = async (client: pg.Client) => {
    const settings = ["statement_timeout", "search_path", "work_mem"].map((name) => `current_setting('${name}')`);
    return (await client.query<{ all: string }>(`select ${settings.join(" || ' ' || ")} as all`)).rows[0]?.all;
  };
  const others = await of(next);
  expect(others).not.toContain("7777");
  for (let round = 0; round < 2; round++) {
    expect(await of(first)).toBe("7777ms pg_catalog 3MB");
    expect(await of(next)).toBe(others);
  }
  // The server's session has none of it any more.
  await first.query("reset all");
  expect(await of(first)).toBe("7777ms pg_catalog 3MB");
  await expect(site.connect({ options: "-c nothing_there=1" })).rejects.toMatchObject({ code: "42704" });
  await Promise.all([first.end(), next.end()]);
});

test("a prepared statement has the time zone of its client, whoever has prepared it", patience, async (context) => {
  const server = await sharedServer(context);
  await using site = await proxy(context, server.port, ".poolSize = 1");
  const midnights: number[] = [];
  for (const zone of ["UTC", "Asia/Tokyo", "UTC"]) {
    const client = await site.connect({ options: `-c TimeZone=${zone}` });
    const text = "select extract(epoch from '2024-01-01'::timestamptz)::int as at";
    midnights.push((await client.query<{ at: number }>({ name: "same", text })).rows[0]?.at ?? 0);
    await client.end();
  }
  const utc = Date.UTC(2024, 0, 1) / 1000;
  expect(midnights).toEqual([utc, utc - 9 * 3600, utc]);
});

test("COPY goes in and out, and LISTEN keeps its server", patience, async (context) => {
  const server = await sharedServer(context);
  await using site = await proxy(context, server.port, ".poolSize = 2");
  const rows = Array.from({ length: 20_000 }, (_, i) => `${i}\t${"x".repeat(50)}`).join("\n");
  await site.psql("-c", "create table copied (id int, text text)");
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-pgsql-"));
  await writeFile(join(folder.path, "in"), `${rows}\n`);
  expect(await site.psql("-c", `\\copy copied from '${join(folder.path, "in")}'`)).toBe("COPY 20000");
  expect(await site.psql("-c", `\\copy copied to '${join(folder.path, "out")}'`)).toBe("COPY 20000");
  expect(await readFile(join(folder.path, "out"), "utf8")).toBe(`${rows}\n`);
  const [listener, speaker] = [await site.connect(), await site.connect()];
  const heard = new Promise<string | undefined>((resolve) => {
    listener.on("notification", ({ payload }) => resolve(payload));
  });
  await listener.query("listen news");
  await speaker.query("notify news, 'hello'");
  expect(await heard).toBe("hello");
  await Promise.all([listener.end(), speaker.end()]);
});

test("a client that dies in a transaction leaves nothing behind", patience, async (context) => {
  const server = await sharedServer(context);
  await using site = await proxy(context, server.port, ".poolSize = 1");
  const dying = await site.connect();
  await dying.query("create table kept (id int)");
  await dying.query("begin");
  await dying.query("insert into kept values (1)");
  const connection = dying as unknown as { connection: { stream: { destroy(): void } } };
  connection.connection.stream.destroy();
  const next = await site.connect();
  expect((await next.query("select * from kept")).rows).toEqual([]);
  const running = await site.connect();
  const gone = running.query("select pg_sleep(60)").catch(() => "gone");
  (running as unknown as typeof connection).connection.stream.destroy();
  expect(await gone).toBe("gone");
  expect((await next.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await next.end();
});

test("a request to cancel reaches the server that works for the client", patience, async (context) => {
  const server = await sharedServer(context);
  await using site = await proxy(context, server.port);
  const child = execFile(
    peer("psql", context),
    ["-h", "127.0.0.1", "-p", String(site.port), "-U", "ann", "-c", "select pg_sleep(61)", "postgres"],
    {
      env: { ...process.env, PGPASSWORD: "geheim" },
    },
  );
  let stderr = "";
  child.stderr?.on("data", (text: string) => (stderr += text));
  const watcher = await site.connect();
  // Not the query of a client before, which a server may still be at.
  const count = async () =>
    (await watcher.query("select 1 from pg_stat_activity where query = 'select pg_sleep(61)' and state = 'active'"))
      .rowCount;
  await expect.poll(count, { timeout: 20_000 }).toBe(1);
  child.kill("SIGINT");
  await expect.poll(() => stderr, { timeout: 20_000 }).toContain("canceling statement due to user request");
  await watcher.end();
});

test("clients beyond the queue are refused, and those in it have a time limit", patience, async (context) => {
  const server = await sharedServer(context);
  await using site = await proxy(context, server.port, ".poolSize = 1 .maxQueued = 1 .queueTimeout = 1s");
  const [busy, waiting, third] = [await site.connect(), await site.connect(), await site.connect()];
  await busy.query("begin");
  const late = waiting.query("select 1");
  const refused = third.query("select 1");
  await expect(refused).rejects.toMatchObject({
    code: "53300",
    message: expect.stringContaining("and 1 clients wait"),
  });
  await expect(late).rejects.toMatchObject({ code: "53300", message: expect.stringContaining("for 1000 ms") });
  await busy.query("commit");
  await busy.end();
});

test("a server that restarts costs its clients their sessions, and serves new ones", patience, async (context) => {
  await using server = await startPostgres(context, { password: "geheim" });
  await using site = await proxy(context, server.port, ".queueTimeout = 2s");
  const client = await site.connect();
  await client.query("begin");
  await server.stop();
  await expect(client.query("select 1")).rejects.toThrow();
  await expect(site.connect().then((each) => each.query("select 1"))).rejects.toThrow("no server can be reached");
  await server.start();
  await expect.poll(() => site.psql("-c", "select 1"), { timeout: 20_000 }).toBe("1");
});

test("sessions are pooled, and cleaned in between", patience, async (context) => {
  const server = await sharedServer(context);
  await using site = await proxy(context, server.port, '.pooling = "session" .poolSize = 1');
  const first = await site.connect();
  await first.query("create temporary table mine (id int)");
  await first.query("set work_mem = '7MB'");
  expect((await first.query("show work_mem")).rows).toEqual([{ work_mem: "7MB" }]);
  const pid = await pidOf(first);
  const second = site.connect();
  await first.end();
  const next = await second;
  expect(await pidOf(next)).toBe(pid);
  expect((await next.query("show work_mem")).rows).not.toEqual([{ work_mem: "7MB" }]);
  await expect(next.query("select * from mine")).rejects.toMatchObject({ code: "42P01" });
  await next.end();
});

test("psql proves its password to the server, if the proxy does not know it", patience, async (context) => {
  const server = await sharedServer(context);
  await using site = await proxy(context, server.port, '.pooling = "session"', "", "");
  expect(await site.psql("-c", "select current_user || 6*7")).toBe("ann42");
  await expect(site.connect({ password: "wrong" })).rejects.toMatchObject({ code: "28P01" });
  await expect(site.connect({ database: "nowhere" })).rejects.toMatchObject({ code: "3D000" });
  const [first, second] = [await site.connect(), await site.connect()];
  const pid = await pidOf(first);
  expect(await pidOf(second)).not.toBe(pid);
  await first.query("set work_mem = '7MB'");
  expect((await first.query("show work_mem")).rows).toEqual([{ work_mem: "7MB" }]);
  await first.end();
  const left = async () => (await second.query("select 1 from pg_stat_activity where pid = $1", [pid])).rowCount;
  await expect.poll(left).toBe(0);
  await second.end();
});

test("TLS is spoken on both sides", patience, async (context) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-pgsql-"));
  const [cert, key] = [join(folder.path, "cert.pem"), join(folder.path, "key.pem")];
  await run(peer("openssl", context), [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
    ...["-subj", "/CN=db.example", "-addext", "subjectAltName=DNS:db.example", "-keyout", key, "-out", cert],
  ]);
  const tls = { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") };
  await using server = await startPostgres(context, { password: "geheim", tls });
  await using site = await proxy(
    context,
    server.port,
    `.tlsCert = "${cert}" .tlsKey = "${key}" .requireTls = true
     .serverTls = "verify" .serverCa = "${cert}" .serverName = "db.example"`,
  );
  const client = await site.connect({
    ssl: { ca: tls.cert, servername: "db.example", checkServerIdentity: () => undefined },
  });
  const { rows } = await client.query("select ssl from pg_stat_ssl where pid = pg_backend_pid()");
  expect(rows).toEqual([{ ssl: true }]);
  const long = await client.query<{ text: string }>("select repeat('x', 3000000) as text");
  expect(long.rows[0]?.text.length).toBe(3_000_000);
  await client.end();
  await expect(site.connect()).rejects.toThrow("the proxy wants TLS");
});

test("pgbench is content by transaction, with each of its protocols", patience, async (context) => {
  const server = await sharedServer(context);
  await using site = await proxy(context, server.port, ".poolSize = 4");
  const env = { ...process.env, PGPASSWORD: "geheim" };
  const at = ["-h", "127.0.0.1", "-p", String(site.port), "-U", "ann", "postgres"];
  await run("pgbench", ["-i", "-s", "1", "-q", ...at], { env });
  for (const protocol of ["simple", "extended", "prepared"]) {
    const args = ["-n", "-S", "-c", "10", "-t", "50", "-M", protocol, ...at];
    const { stdout } = await run("pgbench", args, { env });
    expect(stdout, protocol).toContain("number of transactions actually processed: 500/500");
  }
  const { stdout } = await run("pgbench", ["-n", "-c", "8", "-j", "8", "-t", "20", "-M", "prepared", ...at], { env });
  expect(stdout).toContain("number of failed transactions: 0");
});
