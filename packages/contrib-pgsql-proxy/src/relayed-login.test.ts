// Clients whose passwords only the servers know: each proves itself to a server that is its own.

import { once } from "node:events";
import type { Socket } from "node:net";
import { expect, test } from "vitest";
import { int32, message } from "./protocol/messages.ts";
import { ScramServer, verifierOf } from "./protocol/scram.ts";
import { startupMessage } from "./protocol/startup.ts";
import { fakeServer, friendly, welcome } from "./testing/fake-server.ts";
import { proxy } from "./testing/proxied.ts";

const bySession = '.pooling = "session"';

/** Wants a proof of the password, by SCRAM, and offers the binding of channels, too. */
function scramServer(password: string) {
  const verifier = verifierOf(password, 4096);
  const scrams = new Map<Socket, ScramServer>();
  return fakeServer((received, socket) => {
    const scram = scrams.get(socket);
    if (received[0] === 0) {
      scrams.set(socket, new ScramServer(verifier));
      socket.write(message("R", int32(10), "SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"));
    } else if (received[0] !== 112) friendly(received, socket);
    else if (received.includes("SCRAM-SHA-256\0")) {
      const first = scram?.first(received.toString("utf8", received.indexOf("n,,"))) ?? "";
      socket.write(message("R", int32(11), first));
    } else {
      const final = scram?.final(received.toString("utf8", 5));
      const proof = final === undefined ? undefined : message("R", int32(12), final);
      if (proof === undefined) socket.end(message("E", "SFATAL\0C28P01\0Mnot you\0\0"));
      else socket.write(Buffer.concat([proof, welcome]));
    }
  });
}

test("a client proves itself to its server, and the proxy needs no password", async () => {
  await using server = await scramServer("of-the-server");
  await using site = await proxy(server.port, bySession, "");
  const client = site.client();
  await client.logIn("of-the-server", 1);
  await client.next(7);
  client.send(message("Q", "x\0"), 1);
  await client.next(9);
  expect(client.types).toBe("RRRRSKZCZ");
  expect(client.received[0]?.toString("latin1")).not.toContain("PLUS");
  const wrong = site.client();
  await wrong.logIn("a-wrong-one");
  expect(await wrong.error()).toEqual({ state: "28P01", text: "not you" });
  expect(site.log.join("\n")).not.toMatch(/of-the|a-wrong/);
  client.socket.end(message("X"));
});

test("the server of a client that has proved itself is never that of another one", async () => {
  let conns = 0;
  await using server = await fakeServer((received, socket) => {
    if (received[0] === 0) conns++;
    friendly(received, socket);
  });
  await using site = await proxy(server.port, `${bySession} .poolSize = 1`, "");
  const start = startupMessage("ann", "shop", new Map());
  const first = site.client();
  first.send(start);
  await first.next(4);
  const second = site.client();
  second.send(start);
  expect(await second.error()).toMatchObject({ state: "53300" });
  first.socket.end(message("X"));
  await expect.poll(() => server.sockets.size).toBe(0);
  const third = site.client();
  third.send(start);
  await third.next(4);
  expect(third.types).toBe("RSKZ");
  expect(conns).toBe(2);
  third.socket.destroy();
});

test("strangers who prove nothing do not keep a user out", async () => {
  await using server = await scramServer("of-the-server");
  await using site = await proxy(server.port, `${bySession} .poolSize = 2`, "");
  const strangers = Array.from({ length: 5 }, () => site.client());
  for (const stranger of strangers) {
    stranger.send(startupMessage("ann", "shop", new Map()));
    await stranger.next(1);
  }
  for (const user of [site.client(), site.client()]) {
    await user.logIn("of-the-server");
    await user.next(7);
  }
  for (const stranger of strangers) expect(await stranger.error()).toMatchObject({ state: "53300" });
  const third = site.client();
  third.send(startupMessage("ann", "shop", new Map()));
  expect((await third.error()).text).toContain("all 2 connections");
});

test("a password in plain text is not asked for if only one of the two connections has TLS", async () => {
  await using server = await fakeServer((received, socket) => {
    if (received[0] === 0) socket.write(message("R", int32(3)));
    else if (received.equals(message("p", "geheim\0"))) socket.write(welcome);
  });
  await using site = await proxy(server.port, bySession, "");
  const client = site.client();
  client.send(startupMessage("ann", "shop", new Map()));
  await client.next(1);
  client.send(message("p", "geheim\0"));
  await client.next(5);
  expect(client.types).toBe("RRSKZ");
  client.socket.destroy();
});

test("a client that says more than it is asked, or leaves, takes its server with it", async () => {
  await using server = await fakeServer((_, socket) => socket.write(message("R", int32(5), int32(1))));
  await using site = await proxy(server.port, bySession, "");
  for (const isLeaving of [true, false]) {
    const client = site.client();
    client.send(startupMessage("ann", "shop", new Map()));
    await client.next(1);
    if (isLeaving) client.socket.destroy();
    else {
      client.send(Buffer.concat([message("p", "md5\0"), message("p", "md5\0")]));
      expect(await client.error()).toMatchObject({ state: "08P01" });
    }
    await expect.poll(() => server.sockets.size).toBe(0);
  }
});

test("a server that never answers the login of a client is not waited for", async () => {
  await using server = await fakeServer(() => undefined);
  await using site = await proxy(server.port, `${bySession} .loginTimeout = 100ms`, "");
  const client = site.client();
  client.send(startupMessage("ann", "shop", new Map()));
  expect(await client.error()).toMatchObject({ text: "the login took too long" });
  await expect.poll(() => server.sockets.size).toBe(0);
});

test("no bytes of a server do anything else than end the login of its client", async () => {
  const answers = [message("R"), message("R", int32(7)), message("R", int32(10)), message("Z", "I"), Buffer.from("x")];
  let answer: Buffer = Buffer.alloc(0);
  await using server = await fakeServer((_, socket) => socket.end(answer));
  await using site = await proxy(server.port, bySession, "");
  for (answer of answers) {
    const client = site.client();
    client.send(startupMessage("ann", "shop", new Map()));
    await once(client.socket, "close");
  }
});

test("users without a password are a mistake of the configuration by transaction", async () => {
  await expect(proxy(1, "", "")).rejects.toThrow("clients take turns on connections that the proxy has logged in");
  const ann = '.users = (["name": "ann"])';
  await expect(proxy(1, "", ann)).rejects.toThrow("by transaction the proxy logs in at the servers itself");
  const other = '.users = (["name": "ann", "serverUser": "bob"])';
  await expect(proxy(1, bySession, other)).rejects.toThrow("as nobody else");
});
