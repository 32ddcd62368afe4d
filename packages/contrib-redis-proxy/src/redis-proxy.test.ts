// redisProxy before nodes that lie, break off or refuse. Real nodes are in packages/develop/e2e.

import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { bootWith, MemorySink, openErrorLog, type RouterPart } from "@hemi/internal";
import { expect, test } from "vitest";
import contrib from "./index.ts";

/** Gives each piece that it receives to `answer`. */
async function fakeNode(answer: (received: string, socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined));
    socket.on("data", (bytes) => answer(bytes.toString("latin1"), socket));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return {
    port: address !== null && typeof address === "object" ? address.port : 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

async function proxy(port: number, props = "") {
  const sink = new MemorySink();
  const stage = await bootWith([contrib]).bootText(
    `stage {
      tcpsBackend "redis" { .nodes = (["address": "127.0.0.1:${port}"]) }
      tcpsRouter "main" { .address = "127.0.0.1:0" case { redisProxy { .toBackend = "redis" ${props} } } }
    }`,
    { log: openErrorLog({ sink }) },
  );
  await stage.start();
  const { listensOn: [address = ""] = [] }: RouterPart = stage.find("tcpsRouter.main")?.part ?? {};
  return {
    stage,
    log: sink.lines,
    port: Number(address.split(":")[1]),
    /** What comes until the connection is closed. */
    async talk(lines: string): Promise<string> {
      const socket = connect(Number(address.split(":")[1]), "127.0.0.1");
      socket.end(lines, "latin1");
      return await text(socket);
    },
    [Symbol.asyncDispose]: () => stage.quit(1000),
  };
}

test("a node that sends something malformed, or a reply that is too long, costs an error and its connection", async () => {
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
