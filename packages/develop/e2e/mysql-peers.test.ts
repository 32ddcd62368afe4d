// mysqlProxy between real servers of MariaDB and real clients: the command `mariadb`, and the driver `mysql2`.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import mysqlProxy from "@hemi/contrib-mysql-proxy";
import { bootText, type RouterPart, type Stage } from "@hemi/hemi";
import mysql, { type ConnectionOptions, type RowDataPacket } from "mysql2/promise";
import { afterAll, expect, test, type TestContext } from "vitest";
import { startMariadb } from "../src/mariadb.ts";
import { peer } from "../src/peers.ts";

const run = promisify(execFile);
const patience = { timeout: 120_000 };

type Server = Awaited<ReturnType<typeof startMariadb>>;

/** Two servers for all tests, because making one takes long. The second one has TLS, and may be stopped. */
let shared: Server | undefined;
let second: { readonly server: Server; readonly cert: string; readonly key: string } | undefined;
const sharedServer = async (context: TestContext) => (shared ??= await startMariadb(context));
const folder = await mkdtemp(join(tmpdir(), "hemi-mysql-"));
afterAll(async () => {
  await shared?.[Symbol.asyncDispose]();
  await second?.server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
}, 60_000);

async function secondServer(context: TestContext) {
  if (second !== undefined) return second;
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  await run(peer("openssl", context), [
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"],
    ...["-subj", "/CN=db.example", "-addext", "subjectAltName=DNS:db.example", "-keyout", key, "-out", cert],
  ]);
  const tls = { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") };
  return (second = { server: await startMariadb(context, { tls }), cert, key });
}

const known = '.users = (["name": "ann", "password": "geheim"])';

async function proxy(context: TestContext, port: number, props = "", replicaPort = 1) {
  const stage: Stage = await bootText(
    `stage {
      tcpsBackend "db" { .nodes = (["address": "127.0.0.1:${port}"]) .maxFails = 0 }
      tcpsBackend "replicas" { .nodes = (["address": "127.0.0.1:${replicaPort}"]) .maxFails = 0 }
      tcpsRouter "main" { .address = "127.0.0.1:0" case { mysqlProxy { .toBackend = "db" ${props} } } }
    }`,
    { use: [mysqlProxy] },
  );
  await stage.start();
  const part: RouterPart = stage.find("tcpsRouter.main")?.part ?? {};
  const own = Number(/:(\d+)$/.exec(part.listensOn?.[0] ?? "")?.[1]);
  const program = peer("mariadb", context);
  const args = ["--no-defaults", "-h", "127.0.0.1", "-P", String(own), "-u", "ann", "-pgeheim", "-N", "-B"];
  return {
    connect: async (more: ConnectionOptions = {}) => {
      const settings = { host: "127.0.0.1", port: own, user: "ann", password: "geheim", ...more };
      const connection = await mysql.createConnection(settings);
      connection.on("error", () => undefined);
      return connection;
    },
    /** Of the command. */
    spawn: (sql: string) => spawn(program, [...args, "-e", sql], { stdio: ["ignore", "pipe", "pipe"] }),
    async mariadb(...more: string[]) {
      return await run(program, [...args, ...more]).then(
        ({ stdout }) => stdout.trim(),
        (error: unknown) => (error instanceof Error && "stderr" in error ? String(error.stderr) : String(error)),
      );
    },
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

test(
  "the command and the driver log in, whoever knows the password, and wrong ones are refused",
  patience,
  async (context) => {
    const server = await sharedServer(context);
    for (const users of ["", known]) {
      await using site = await proxy(context, server.port, users);
      expect(await site.mariadb("-e", "select 1 + 1")).toBe("2");
      expect(await site.mariadb("--password=wrong", "-e", "select 1")).toContain("1045");
      expect(await site.mariadb("nowhere", "-e", "select 1")).toContain("1049");
      const client = await site.connect();
      expect((await client.query("select 1 + 1 as sum"))[0]).toEqual([{ sum: 2 }]);
      await client.end();
      await expect(site.connect({ password: "wrong" })).rejects.toMatchObject({ errno: 1045 });
    }
  },
);

test(
  "prepared statements, many results, files, and messages of more than 16 MB go through",
  patience,
  async (context) => {
    const server = await sharedServer(context);
    await using site = await proxy(context, server.port);
    const client = await site.connect({ multipleStatements: true });
    await client.query("create or replace database through; use through; create table texts (id int, text longtext)");
    for (let i = 0; i < 3; i++) expect((await client.execute("select ? + 1 as sum", [i]))[0]).toEqual([{ sum: i + 1 }]);
    await expect(client.execute("select nothing_there")).rejects.toMatchObject({ errno: 1054 });
    const [results] = await client.query("select 1 as a; insert into texts values (0, 'x'); select 2 as b");
    expect(results).toMatchObject([[{ a: 1 }], { affectedRows: 1 }, [{ b: 2 }]]);
    await client.query("create procedure twice() begin select 1 as a; select 2 as a; end");
    expect((await client.query("call twice()"))[0]).toMatchObject([[{ a: 1 }], [{ a: 2 }], {}]);
    const long = "x".repeat(17_000_000);
    await client.query("insert into texts values (1, ?)", [long]);
    const [rows] = await client.query<RowDataPacket[]>("select text from texts where id = 1");
    expect(rows[0]?.["text"] === long).toBe(true);
    const file = { sql: "load data local infile 'given' into table texts", infileStreamFactory: () => linesOf(5000) };
    expect((await client.query(file))[0]).toMatchObject({ affectedRows: 5000 });
    const [many] = await client.query<RowDataPacket[]>("select id from texts where id > 1");
    expect(many.length).toBe(5000);
    await client.end();
  },
);

function linesOf(count: number): Readable {
  return Readable.from(Array.from({ length: count }, (_, i) => Buffer.from(`${i + 2}\tline ${i}\n`)));
}

test("Ctrl-C of the command ends its own query, and no other", patience, async (context) => {
  const server = await sharedServer(context);
  await using site = await proxy(context, server.port);
  const child = site.spawn("select sleep(60)");
  let stderr = "";
  child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
  const watcher = await site.connect();
  const sleeping = async () =>
    (
      await watcher.query<RowDataPacket[]>("select 1 from information_schema.processlist where info like 'select sl%'")
    )[0].length;
  await expect.poll(sleeping).toBe(1);
  child.kill("SIGINT");
  await once(child, "exit");
  await expect.poll(sleeping).toBe(0);
  expect((await watcher.query("select 1 as one"))[0]).toEqual([{ one: 1 }]);
  await watcher.end();
  expect(stderr).not.toContain("Unknown thread");
});

test("a client that dies in a transaction leaves nothing behind", patience, async (context) => {
  const server = await sharedServer(context);
  await using site = await proxy(context, server.port);
  const dying = await site.connect();
  await dying.query("create or replace database dying");
  await dying.query("create table dying.kept (id int) engine = innodb");
  await dying.beginTransaction();
  await dying.query("insert into dying.kept values (1)");
  dying.destroy();
  const next = await site.connect();
  // It waits for the lock of the other session, if that is still there.
  await next.query("alter table dying.kept add column more int");
  expect((await next.query("select * from dying.kept"))[0]).toEqual([]);
  await next.end();
});

test("reads go to the replica, but for those in a transaction or right after a write", patience, async (context) => {
  const server = await sharedServer(context);
  const { server: replica } = await secondServer(context);
  for (const [port, name] of [
    [server.port, "writer"],
    [replica.port, "replica"],
  ] as const) {
    await using direct = await proxy(context, port);
    await direct.mariadb("-e", `create or replace database who; create table who.am_i as select '${name}' as name`);
  }
  await using site = await proxy(
    context,
    server.port,
    `${known} .toReplicas = "replicas" .writerTime = 300ms`,
    replica.port,
  );
  const client = await site.connect({ database: "who", charset: "utf8mb4" });
  const who = async (): Promise<unknown> => {
    const [rows] = await client.query<RowDataPacket[]>("select name from am_i");
    return rows[0]?.["name"];
  };
  expect(await who()).toBe("replica");
  await client.query("set time_zone = '+03:00'");
  expect((await client.query("select timediff(now(), utc_timestamp()) as away"))[0]).toEqual([{ away: "03:00:00" }]);
  expect(await who()).toBe("replica");
  await client.beginTransaction();
  expect(await who()).toBe("writer");
  await client.commit();
  await client.query("create or replace table other (id int)");
  expect(await who()).toBe("writer");
  await expect.poll(who).toBe("replica");
  await replica.stop();
  expect(await who()).toBe("writer");
  await client.end();
  await replica.start();
});

test("a server that restarts costs its clients their sessions, and serves new ones", patience, async (context) => {
  const { server } = await secondServer(context);
  await using site = await proxy(context, server.port);
  const [idle, busy] = [await site.connect(), await site.connect()];
  const lost = expect(busy.query("select sleep(60)")).rejects.toThrow();
  await server.stop();
  await lost;
  await expect(idle.query("select 1")).rejects.toThrow();
  expect(await site.mariadb("-e", "select 1")).toContain("1429");
  await server.start();
  expect(await site.mariadb("-e", "select 1")).toBe("1");
});

test("TLS is spoken on both sides", patience, async (context) => {
  const { server, cert, key } = await secondServer(context);
  for (const users of ["", known]) {
    await using site = await proxy(
      context,
      server.port,
      `${users} .tlsCert = "${cert}" .tlsKey = "${key}" .requireTls = true
       .serverTls = "verify" .serverCa = "${cert}" .serverName = "db.example"`,
    );
    const client = await site.connect({ ssl: { ca: await readFile(cert), verifyIdentity: false } });
    const [rows] = await client.query<RowDataPacket[]>("show status like 'Ssl_version'");
    expect(rows[0]?.["Value"]).toContain("TLS");
    const [long] = await client.query<RowDataPacket[]>("select repeat('x', 3000000) as text");
    expect(String(long[0]?.["text"]).length).toBe(3_000_000);
    await client.end();
    expect(await site.mariadb("--ssl", `--ssl-ca=${cert}`, "--skip-ssl-verify-server-cert", "-e", "select 1")).toBe(
      "1",
    );
    await expect(site.connect()).rejects.toMatchObject({ errno: 3159 });
  }
});
