import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { access, link, mkdtempDisposable, writeFile } from "node:fs/promises";
import * as net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { OwnSockets, socketsOfAddress } from "./bound-socket.ts";
import { Listeners, type Acceptor, type ListenerShare } from "./listener.ts";

const local = (port = 0) => ({ host: "127.0.0.1", port });

/** A holder of a stage of its own, unless one is given. */
const owner = (path: string, stage: object = {}) => ({ path, stage });

/** Greets each connection with a word, and closes it. */
const greeter =
  (word: string): Acceptor =>
  (socket) =>
    socket.on("error", () => undefined).end(word);

/** What a new connection gets to read until its end. */
async function greeting(to: net.NetConnectOpts): Promise<string> {
  const socket = net.connect(to);
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test("port 0 takes a free port, and no two holders the same", async () => {
  const listeners = new Listeners();
  const stage = {};
  const first = await listeners.share(local(), owner("a", stage));
  const second = await listeners.share(local(), owner("b", stage));
  expect(first.address).toBe(`127.0.0.1:${first.port}`);
  expect(second.port).not.toBe(first.port);
  first.accept(greeter("first"));
  second.accept(greeter("second"));
  expect(await greeting({ port: first.port })).toBe("first");
  expect(await greeting({ port: second.port })).toBe("second");
  await first.release();
  await second.release();
});

test("no host stands for IPv4 and IPv6", async () => {
  const share = await new Listeners().share({ host: "", port: 0 }, owner("a"));
  share.accept(greeter("hi"));
  expect(share.address).toBe(`[::]:${share.port}`);
  expect(await greeting({ host: "127.0.0.1", port: share.port })).toBe("hi");
  expect(await greeting({ host: "::1", port: share.port })).toBe("hi");
  await share.release();
});

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const share = await new Listeners().share(local(), owner("a"));
  await share.release();
  return share.port;
}

test("what stops listening refuses new connections, goes on with those it has, and is released later", async () => {
  const listeners = new Listeners();
  const [first, second] = await Promise.all([
    listeners.share(local(), owner("a")),
    listeners.share(local(), owner("b")),
  ]);
  const accepted = Promise.withResolvers<net.Socket>();
  first.accept(accepted.resolve);
  const greeted = greeting({ port: first.port });
  const socket = await accepted.promise;
  await listeners.stop();
  for (const { port } of [first, second])
    expect(await errorOf(greeting({ port }))).toMatchObject({ code: "ECONNREFUSED" });
  socket.end("hello");
  expect(await greeted).toBe("hello");
  await listeners.stop();
  await Promise.all([first.release(), second.release()]);
});

describe("holders that follow each other", () => {
  test("lose no connection, however many come meanwhile", async () => {
    const listeners = new Listeners();
    const address = local(await freePort());
    let holder = await listeners.share(address, owner("holder 0"));
    holder.accept(greeter("holder 0"));
    const greetings: string[] = [];
    let isOver = false;
    const connect = async (): Promise<void> => {
      while (!isOver) greetings.push(await greeting(address));
    };
    const clients = Promise.all(Array.from({ length: 8 }, connect));
    for (let i = 1; i <= 25; i++) {
      const next = await listeners.share(address, owner(`holder ${i}`));
      next.accept(greeter(`holder ${i}`));
      await holder.release();
      holder = next;
      const count = greetings.length;
      while (greetings.length < count + 8) await turn();
    }
    isOver = true;
    await clients;
    expect(greetings.every((word) => /^holder \d+$/.test(word))).toBe(true);
    expect(greetings.at(-1)).toBe("holder 25");
    await holder.release();
  });

  test("may have a gap, in which connections wait, unless they leave", async () => {
    const listeners = new Listeners();
    const address = local(await freePort());
    const first = await listeners.share(address, owner("first"));
    const second = await listeners.share(address, owner("second"));
    first.accept(greeter("first"));
    await first.release();
    const waiting = greeting(address);
    const leaving = net.connect(address);
    await once(leaving, "connect");
    leaving.resetAndDestroy();
    // Connections are accepted in the order in which they came: once this one is there, so are the others.
    const last = net.connect(address);
    await once(last, "connect");
    await turn();
    second.accept(greeter("second"));
    expect(await waiting).toBe("second");
    last.destroy();
    await second.release();
  });

  test("of one stage are refused", async () => {
    const listeners = new Listeners();
    const address = local(await freePort());
    const stage = {};
    const first = await listeners.share(address, owner("httpxServer.a", stage));
    expect(await errorOf(listeners.share(address, owner("httpxServer.b", stage)))).toMatchObject({
      code: "HEMI_LISTEN",
      message: `httpxServer.b cannot listen on 127.0.0.1:${address.port}: httpxServer.a of the same stage does`,
    });
    await first.release();
    const second = await listeners.share(address, owner("httpxServer.b", stage));
    await second.release();
  });

  test("that were released take nothing, and releasing again is harmless", async () => {
    const listeners = new Listeners();
    const address = local(await freePort());
    const first = await listeners.share(address, owner("first"));
    const second = await listeners.share(address, owner("second"));
    second.accept(greeter("second"));
    await first.release();
    await first.release();
    first.accept(greeter("first"));
    expect(await greeting(address)).toBe("second");
    await second.release();
    expect(await errorOf(greeting(address))).toMatchObject({ code: "ECONNREFUSED" });
  });
});

describe("an address that cannot be had", () => {
  test("because this very process listens there, by another form of it", async () => {
    const listeners = new Listeners();
    const port = await freePort();
    const first = await listeners.share(local(port), owner("httpxServer.a"));
    first.accept(greeter("a"));
    expect(await errorOf(listeners.share({ host: "0.0.0.0", port }, owner("httpxServer.b")))).toMatchObject({
      code: "HEMI_LISTEN",
      message: expect.stringContaining(`httpxServer.a listens on 127.0.0.1:${port}, in this very process`) as string,
    });
    await first.release();
  });

  test.each([
    ["/nowhere/a.sock", "the folder /nowhere does not exist"],
    ["/etc/passwd", "no socket"],
    ["/etc/passwd/a.sock", "/etc/passwd is no folder"],
  ])("because there is no place for the socket %s", async (path, message) => {
    expect(await errorOf(new Listeners().share({ path }, owner("a")))).toMatchObject({
      code: "HEMI_LISTEN",
      message: expect.stringContaining(message) as string,
    });
  });

  test("because another program listens there", async () => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const bound = server.address();
    const port = typeof bound === "object" ? (bound?.port ?? 0) : 0;
    expect(await errorOf(new Listeners().share(local(port), owner("a")))).toMatchObject({
      code: "HEMI_LISTEN",
      message: `cannot listen on 127.0.0.1:${port}: another program listens there; stop it or choose another address`,
    });
    server.close();
  });

  test.each([
    ["192.0.2.1", "this machine does not have that address"],
    ["shop.example", /numeric|IP|invalid/i],
  ])("because %s is none of ours", async (host, reason) => {
    const error = await errorOf(new Listeners().share({ host, port: 0 }, owner("a")));
    expect(error).toMatchObject({
      code: "HEMI_LISTEN",
      message: expect.stringContaining(`cannot listen on ${host}:0: `),
    });
    expect(error).toMatchObject({ message: expect.stringMatching(reason) });
  });
});

describe("a UNIX socket", () => {
  async function exists(path: string): Promise<boolean> {
    return (await errorOf(access(path))) === undefined;
  }

  test("is served, joined by the next holder without a stray connection, and its file removed at the end", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-"));
    const address = { path: join(folder.path, "a.sock") };
    const listeners = new Listeners();
    const first = await listeners.share(address, owner("first"));
    expect(first).toMatchObject({ address: address.path, port: 0 });
    let accepted = 0;
    first.accept((socket) => {
      accepted++;
      greeter("first")(socket);
    });
    expect(await greeting(address)).toBe("first");
    const second = await listeners.share(address, owner("second"));
    await turn();
    expect(accepted).toBe(1);
    second.accept(greeter("second"));
    await first.release();
    expect(await greeting(address)).toBe("second");
    await second.release();
    expect(await exists(address.path)).toBe(false);
  });

  test("takes the place of one that nobody listens on any more", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-"));
    const address = { path: join(folder.path, "dead.sock") };
    // A process that is killed leaves its file; so does a second name for it.
    const server = net.createServer().listen(join(folder.path, "living.sock"));
    await once(server, "listening");
    await link(join(folder.path, "living.sock"), address.path);
    expect(await errorOf(new Listeners().share(address, owner("a")))).toMatchObject({ code: "HEMI_LISTEN" });
    server.close();
    await once(server, "close");
    expect(await exists(address.path)).toBe(true);
    const share = await new Listeners().share(address, owner("a"));
    share.accept(greeter("hi"));
    expect(await greeting(address)).toBe("hi");
    await share.release();
  });

  test("does not take the place of another file", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-"));
    const path = join(folder.path, "file");
    await writeFile(path, "precious");
    expect(await errorOf(new Listeners().share({ path }, owner("a")))).toMatchObject({ code: "HEMI_LISTEN" });
    expect(await exists(path)).toBe(true);
  });
});

test("nothing is left open after the last release", async () => {
  const count = (): number => process.getActiveResourcesInfo().filter((name) => /TCP|Pipe(?!Wrap)/.test(name)).length;
  const before = count();
  const listeners = new Listeners();
  const shares: ListenerShare[] = [];
  for (let i = 0; i < 3; i++) shares.push(await listeners.share(local(), owner("a")));
  shares[0]?.accept(greeter("hi"));
  await Promise.all(shares.map((share) => share.release()));
  while (count() > before) await turn();
});

test("an address can be shared anew in the turn in which its last share is released", async () => {
  const listeners = new Listeners();
  const first = await listeners.share(local(), owner("a"));
  const address = local(first.port);
  await first.release();
  const second = await listeners.share(address, owner("a"));
  const [, third] = await Promise.all([second.release(), listeners.share(address, owner("b"))]);
  third.accept(greeter("hi"));
  expect(await greeting({ port: third.port })).toBe("hi");
  await third.release();
});

test("a connection that waits in the queue before its listener is ready has TCP_NODELAY, too", async () => {
  const script = 'require("node:net").connect(process.argv[1], "127.0.0.1", () => process.exit())';
  const listeners = new Listeners({
    bind: async (address, taker) => {
      const bound = await new OwnSockets().bind(address, taker);
      const listen = (server: net.Server): void => {
        bound.listen(server, 0);
        execFileSync(process.execPath, ["-e", script, String(bound.port)]);
      };
      return { ...bound, sockets: 1, listen };
    },
  });
  const set = vi.spyOn(net.Socket.prototype, "setNoDelay");
  const share = await listeners.share(local(), owner("a"));
  const accepted = Promise.withResolvers<net.Socket>();
  share.accept(accepted.resolve);
  const socket = await accepted.promise;
  expect(set.mock.instances).toContain(socket);
  set.mockRestore();
  socket.destroy();
  await share.release();
});

describe.runIf(process.platform === "linux")("an address of TCP with several sockets", () => {
  const several = () => new Listeners(new OwnSockets((addresses) => socketsOfAddress(addresses)));

  /** How many sockets listen on the port, as the system tells. */
  function socketsOn(port: number): number {
    const place = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
    const sockets = readFileSync("/proc/net/tcp", "latin1").split("\n").slice(1);
    return sockets.filter((line) => {
      const [, local = "", , state] = line.trim().split(/ +/);
      return local.endsWith(place) && state === listening;
    }).length;
  }

  const listening = "0A";

  test("has several sockets, whose connections all arrive", async () => {
    const share = await several().share(local(), owner("a"));
    expect(socketsOn(share.port)).toBe(4);
    share.accept(greeter("hi"));
    const greetings = await Promise.all(Array.from({ length: 50 }, () => greeting({ port: share.port })));
    expect(new Set(greetings)).toEqual(new Set(["hi"]));
    await share.release();
    await expect(greeting({ port: share.port })).rejects.toThrow("ECONNREFUSED");
  });

  test("has one among many", async () => {
    const listeners = several();
    // At once, as the servers of a stage begin.
    const shares = await Promise.all(Array.from({ length: 40 }, () => listeners.share(local(), owner("a"))));
    const counts = shares.map(({ port }) => socketsOn(port));
    expect(counts).toEqual([...Array<number>(32).fill(4), ...Array<number>(8).fill(1)]);
    await Promise.all(shares.map((share) => share.release()));
  });

  test("has one where its sockets would take more than a quarter of all descriptors", () => {
    expect(socketsOfAddress(31, 1, 1024)).toBe(4);
    expect(socketsOfAddress(32, 1, Infinity)).toBe(1);
    expect([7, 8].map((addresses) => socketsOfAddress(addresses, 8, 1024))).toEqual([4, 1]);
    expect(socketsOfAddress(0, 64, 256)).toBe(1);
  });

  test("is had by one of two programs that begin at the same time", async () => {
    const free = await several().share(local(), owner("a"));
    await free.release();
    const programs = [several(), several()];
    const shared = await Promise.allSettled(programs.map((program) => program.share(local(free.port), owner("a"))));
    expect(shared.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    for (const outcome of shared) {
      if (outcome.status === "fulfilled") await outcome.value.release();
      else expect(outcome.reason).toMatchObject({ code: "HEMI_LISTEN" });
    }
  });

  test("cannot be shared with another program of the same user that would share it", async () => {
    const other = net.createServer().listen({ host: "127.0.0.1", port: 0, reusePort: true });
    await once(other, "listening");
    const address = other.address();
    if (address === null || typeof address === "string") throw new Error("no port was given");
    const error = await errorOf(several().share(local(address.port), owner("a")));
    expect(error).toMatchObject({ code: "HEMI_LISTEN" });
    other.close();
  });
});
