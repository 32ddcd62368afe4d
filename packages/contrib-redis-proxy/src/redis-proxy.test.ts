// redisProxy before nodes that lie, break off or refuse. Real nodes are in packages/develop/e2e.

import { once } from "node:events";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Metrics } from "@hemi/internal";
import { expect, test } from "vitest";
import { encodeRequest } from "./resp/requests.ts";
import { fakeNode, proxy } from "./testing/proxied.ts";

test("a node that sends something malformed, or too long a reply, costs an error and its connection", async () => {
  await using node = await fakeNode((_, socket) => socket.write("hello\r\n"));
  await using site = await proxy(node.port);
  expect(await site.talk("GET a\r\nGET b\r\n")).toBe("-ERR hemi: the node sent something malformed\r\n".repeat(2));
  await using long = await fakeNode((_, socket) => socket.write("$2000\r\n"));
  await using small = await proxy(long.port, ".maxReplySize = 1K");
  expect(await small.talk("GET a\r\n")).toBe("-ERR hemi: the node sent something malformed\r\n");
});

test("a node that breaks off within a pipeline gives its replies, and errors for the rest, in order", async () => {
  await using node = await fakeNode((_, socket) => socket.end("$1\r\n1\r\n$1\r\n"));
  await using site = await proxy(node.port);
  const lost = "-ERR hemi: the node closed the connection\r\n";
  expect(await site.talk("GET a\r\nGET b\r\nPING\r\nGET c\r\n")).toBe(`$1\r\n1\r\n${lost}+PONG\r\n${lost}`);
});

test("a node that does not reply in time costs an error, and clients go on at a new connection", async () => {
  const conns = new Set<Socket>();
  await using node = await fakeNode((_, socket) => {
    conns.add(socket);
    if (conns.size > 1) socket.write("$1\r\n2\r\n");
  });
  await using site = await proxy(node.port, ".replyTimeout = 50ms");
  const late = "-ERR hemi: the node did not reply in time\r\n";
  expect(await site.talk("GET a\r\nGET b\r\n")).toBe(late.repeat(2));
  expect(await site.talk("GET a\r\n")).toBe("$1\r\n2\r\n");
  expect(conns.size).toBe(2);
});

test("a line within a request that does not end is refused, however much a request may have", async () => {
  await using node = await fakeNode(() => undefined);
  await using site = await proxy(node.port);
  const client = connect(site.port, "127.0.0.1");
  client.write(`*1\r\n+${"x".repeat(100_000)}`);
  const [error] = (await once(client, "data")) as [Buffer];
  expect(String(error)).toBe("-ERR Protocol error: a line that does not end\r\n");
  client.destroy();
});

/** Requests of more than a megabyte each. */
const large = (...words: readonly string[]): Buffer => encodeRequest([...words, "x".repeat(1024 * 1024)]);

test("a client that is far ahead of a node is not read: large requests count by their size", async () => {
  await using node = await fakeNode((_, socket) => socket.pause());
  await using site = await proxy(node.port, ".replyTimeout = 1s");
  const client = connect(site.port, "127.0.0.1");
  const request = large("SET", "a");
  for (let i = 0; i < 64; i++) client.write(request);
  const [errors] = (await once(client, "data")) as [Buffer];
  client.destroy();
  // Those that it had taken when the node was given up.
  const taken = errors.toString("latin1").split("did not reply in time").length - 1;
  expect(taken).toBeGreaterThan(0);
  expect(taken).toBeLessThan(8);
});

test("an idleTimeout that a reload makes shorter holds for clients that are idle", async () => {
  await using node = await fakeNode((_, socket) => socket.write("+OK\r\n"));
  await using site = await proxy(node.port);
  const client = connect(site.port, "127.0.0.1");
  client.write("GET a\r\n");
  await once(client, "data");
  const closed = once(client, "close");
  await site.reload(".idleTimeout = 1ms");
  await closed;
});

test("a client that subscribes is not read as long as its node does not read", async () => {
  await using node = await fakeNode((_, socket) => socket.pause());
  await using site = await proxy(node.port, ".idleTimeout = 500ms");
  const closed = Promise.withResolvers<void>();
  const client = connect(site.port, "127.0.0.1")
    .on("error", () => undefined)
    .on("close", closed.resolve);
  const request = large("SUBSCRIBE");
  let taken = 0;
  const goOn = (error?: Error | null): void => {
    if ((error === undefined || error === null) && taken++ < 64) client.write(request, goOn);
  };
  goOn();
  await closed.promise;
  // The systems on both sides take some megabytes.
  expect(taken).toBeLessThan(48);
});

test("a node that sends messages that nobody has asked for, and no reply, does not reply in time", async () => {
  const timers: NodeJS.Timeout[] = [];
  await using node = await fakeNode((received, socket) => {
    if (received.includes("HELLO")) socket.write("%0\r\n");
    timers.push(setInterval(() => socket.write(">1\r\n+news\r\n"), 20));
  });
  await using site = await proxy(node.port, ".replyTimeout = 100ms");
  expect(await site.talk("HELLO 3\r\nGET a\r\n")).toMatch(/-ERR hemi: the node did not reply in time\r\n$/);
  for (const timer of timers) clearInterval(timer);
});

test("a client that leaves within its pipeline or its transaction takes nothing of others with it", async () => {
  const received: string[] = [];
  const answers: (() => void)[] = [];
  await using node = await fakeNode((text, socket) => {
    received.push(text);
    const isQuick = !text.includes("slow");
    const answer = (): void => void socket.write(`$1\r\n${text.at(-3) ?? ""}\r\n`.repeat(text.split("*").length - 1));
    if (isQuick) answer();
    else answers.push(answer);
  });
  await using site = await proxy(node.port, ".connsPerNode = 1");
  const leaving = connect(site.port, "127.0.0.1");
  leaving.write("GET slow1\r\nGET slow2\r\n");
  await expect.poll(() => answers.length).toBe(1);
  leaving.destroy();
  await once(leaving, "close");
  const next = site.talk("GET slow3\r\n");
  await expect.poll(() => answers.length).toBe(2);
  for (const answer of answers) answer();
  expect(await next).toBe("$1\r\n3\r\n");
  const queueing = connect(site.port, "127.0.0.1");
  queueing.write("MULTI\r\nSET a 1\r\n");
  await expect.poll(() => received.join("")).toContain("SET");
  const own = [...node.sockets].at(-1);
  if (own === undefined) throw new Error("no connection of its own");
  queueing.destroy();
  await once(own, "close");
});

test("MOVED corrects the map of a cluster, and ASK asks another node once", async () => {
  const seen: string[] = [];
  const ports: number[] = [];
  const slots = (port: number): string => `*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:${port}\r\n`;
  const commands = /\r\n(CLUSTER|ASKING|GET)\r\n(?:\$1\r\n(.))?/g;
  await using second = await fakeNode((text, socket) => {
    for (const [, name = "", key = ""] of text.matchAll(commands)) {
      seen.push(`second ${name}${key}`);
      socket.write(name === "ASKING" ? "+OK\r\n" : "$1\r\n2\r\n");
    }
  });
  await using first = await fakeNode((text, socket) => {
    for (const [, name = "", key = ""] of text.matchAll(commands)) {
      if (name === "CLUSTER") socket.write(slots(ports[seen.some((each) => each === "first GETb") ? 1 : 0] ?? 0));
      else {
        seen.push(`first ${name}${key}`);
        socket.write(`-${key === "a" ? "ASK" : "MOVED"} ${key === "a" ? 15495 : 3300} 127.0.0.1:${ports[1]}\r\n`);
      }
    }
  });
  ports.push(first.port, second.port);
  await using site = await proxy(first.port, ".cluster = true", { nodes: `, ["address": "127.0.0.1:${second.port}"]` });
  expect(await site.talk("GET a\r\n")).toBe("$1\r\n2\r\n");
  expect(await site.talk("GET a\r\n")).toBe("$1\r\n2\r\n");
  expect(seen).toEqual(Array(2).fill(["first GETa", "second ASKING", "second GETa"]).flat());
  seen.length = 0;
  for (let i = 0; i < 2; i++) expect(await site.talk("GET b\r\n")).toBe("$1\r\n2\r\n");
  expect(seen).toEqual(["first GETb", "second GETb", "second GETb"]);
});

test("reads go to the replicas, and everything else does not", async () => {
  await using master = await fakeNode((text, socket) => socket.write("$1\r\nm\r\n".repeat(text.split("*").length - 1)));
  await using replica = await fakeNode((text, socket) =>
    socket.write("$1\r\nr\r\n".repeat(text.split("*").length - 1)),
  );
  const replicas = `tcpsBackend "replicas" { .nodes = (["address": "127.0.0.1:${replica.port}"]) }`;
  await using site = await proxy(master.port, '.toReplicas = "replicas"', { backends: replicas });
  const [m, r] = ["$1\r\nm\r\n", "$1\r\nr\r\n"];
  expect(await site.talk("GET a\r\nSET a 1\r\nHGETALL a\r\nINCR a\r\n")).toBe(r + m + r + m);
});

test("replies in single bytes are put together", async () => {
  await using node = await fakeNode((_, socket) => {
    socket.setNoDelay();
    for (const byte of "*2\r\n$1\r\na\r\n:1\r\n") socket.write(byte);
  });
  await using site = await proxy(node.port);
  expect(await site.talk("HGETALL a\r\n")).toBe("*2\r\n$1\r\na\r\n:1\r\n");
});

test("a node that refuses the password of the proxy gives an error, and no log has a password", async () => {
  const received: string[] = [];
  await using node = await fakeNode((text, socket) => {
    received.push(text);
    socket.write("-WRONGPASS no\r\n-NOAUTH no\r\n");
  });
  await using site = await proxy(node.port, '.nodePassword = "of-the-node" .users = (["password": "of-the-user"])');
  expect(await site.talk("AUTH of-the-user\r\nGET a\r\n")).toBe(
    "+OK\r\n-ERR hemi: the node refused the login of the proxy\r\n",
  );
  expect(received.join("")).toContain("of-the-node");
  expect(site.log.join("\n")).toContain("it refused the login");
  expect(site.log.join("\n")).not.toMatch(/of-the-(?:node|user)/);
});

test("a client that has not logged in cannot send much", async () => {
  await using node = await fakeNode(() => undefined);
  await using site = await proxy(node.port, '.users = (["password": "x"])');
  expect(await site.talk("*2\r\n$4\r\nPING\r\n$60000000\r\n")).toContain("Protocol error: a value of more than 16384");
});

test("two users of one name, and routes in a cluster, are mistakes of the configuration", async () => {
  await expect(proxy(1, '.users = (["password": "x"], ["password": "y"])')).rejects.toThrow("stands here twice");
  const routes = '.cluster = true .routes = (["prefix": "a", "toBackend": "redis"])';
  await expect(proxy(1, routes)).rejects.toThrow("not with .cluster");
});

test("the log has a line for each client with its counts; nothing has what it has said", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-redis-"));
  const file = join(folder.path, "log");
  const metrics = new Metrics();
  await using node = await fakeNode((_, socket) => socket.write("$7\r\na-value\r\n"));
  {
    const users = '.users = (["name": "ann", "password": "geheim"])';
    const connLog = `.connLog = ["file": "${file}", "format": "json"]`;
    await using site = await proxy(node.port, users, { router: connLog, metrics });
    await site.talk("AUTH ann geheim\r\nGET a-key\r\nKEYS *\r\n");
  }
  const line = await readFile(file, "utf8");
  expect(JSON.parse(line)).toMatchObject({ notes: { user: "ann", commands: 3, errors: 1 }, endReason: "complete" });
  expect(line).toContain('"totalTime":');
  expect(`${line}${JSON.stringify(metrics.report())}`).not.toMatch(/geheim|a-key|a-value/);
  const events = metrics.report().filter(({ group }) => group === "event");
  expect(new Set(events.map(({ labels }) => labels[2]))).toEqual(
    new Set(["command", "refused", "failed", "redirected", "pinned"]),
  );
});

test("hemi explain tells the backend, its node, and where keys go", async () => {
  await using site = await proxy(1, '.routes = (["prefix": "s:", "toBackend": "redis"])');
  const walk = await site.stage.explainConn({ protocol: "tcp" });
  expect(walk.outcome).toMatchObject({ type: "taken", text: "passes its requests on to tcpsBackend.redis" });
  expect(walk.cases?.[0]?.asked?.[0]?.details?.[0]).toBe("keys that begin with s: go to tcpsBackend.redis");
});

test("a client that subscribes does not get the reply to the login of the proxy", async () => {
  await using node = await fakeNode((received, socket) => {
    if (received.includes("AUTH")) socket.write("+OK\r\n");
    if (received.includes("SUBSCRIBE")) socket.write("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
  });
  await using site = await proxy(node.port, '.nodePassword = "secret"');
  const socket = connect(site.port, "127.0.0.1");
  socket.write("SUBSCRIBE a\r\n");
  const [first] = (await once(socket, "data")) as [Buffer];
  expect(first.toString()).toBe("*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
  socket.destroy();
});

test("SCRIPT DEBUG, which would put the connection of others into a debugger, is refused", async () => {
  await using node = await fakeNode((_, socket) => socket.write("+OK\r\n"));
  await using site = await proxy(node.port);
  expect(await site.talk("script debug yes\r\nSCRIPT FLUSH\r\n")).toMatch(/^-NOPERM .*\r\n\+OK\r\n$/);
});

test("a user with keys may not use commands about the server, even if they are not in .refuse", async () => {
  await using node = await fakeNode((text, socket) => {
    socket.write("+OK\r\n".repeat(text.split("*").length - 1));
  });
  const users = '.users = (["password": "x", "keys": ("a:")])';
  await using site = await proxy(node.port, `${users} .refuse = ("SAVE")`);
  const lines = ["CONFIG GET *", "CLUSTER GETKEYSINSLOT 0 9", "MEMORY USAGE b", "DEBUG OBJECT b", "ACL LIST", "KEYS *"];
  const replies = await site.talk(["AUTH x", ...lines, "GET a:1", "TIME", ""].join("\r\n"));
  expect(replies).toMatch(/^\+OK\r\n(?:-NOPERM [^\r]*\r\n){6}\+OK\r\n\+OK\r\n$/);
});

test("a connection ends when its client has left while a transaction waited for its turn", async () => {
  await using node = await fakeNode((_, socket) => socket.write("$1\r\n1\r\n"));
  await using site = await proxy(node.port);
  expect(await site.talk("GET a\r\nMULTI\r\nDISCARD\r\n")).toBe("$1\r\n1\r\n+OK\r\n+OK\r\n");
});

test("a key of a line may have any bytes but white space of ASCII", async () => {
  let received = "";
  await using node = await fakeNode((text, socket) => {
    received += text;
    socket.write("$1\r\n1\r\n");
  });
  await using site = await proxy(node.port);
  await site.talk("GET \u00c3\u00a0\r\n");
  expect(received).toBe("*2\r\n$3\r\nGET\r\n$2\r\n\u00c3\u00a0\r\n");
});

test("a script that returns a text like MOVED or ASK does not run again, nor changes the map", async () => {
  const asked: string[] = [];
  await using node: Awaited<ReturnType<typeof fakeNode>> = await fakeNode((received, socket) => {
    for (const [, name = ""] of received.matchAll(/\r\n(EVAL|EXISTS|GET|CLUSTER)\r\n/g)) {
      asked.push(name);
      if (name === "CLUSTER") socket.write(`*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:${node.port}\r\n`);
      else if (name === "EVAL") socket.write("-MOVED 15495 127.0.0.1:1\r\n");
      else socket.write(name === "EXISTS" ? ":0\r\n" : "$1\r\nx\r\n");
    }
  });
  await using site = await proxy(node.port, ".cluster = true");
  const script = "*4\r\n$4\r\nEVAL\r\n$1\r\nx\r\n$1\r\n1\r\n$1\r\na\r\n";
  expect(await site.talk(`${script}GET a\r\n`)).toBe("-MOVED 15495 127.0.0.1:1\r\n$1\r\nx\r\n");
  expect(asked.filter((name) => name === "EVAL")).toHaveLength(1);
});
