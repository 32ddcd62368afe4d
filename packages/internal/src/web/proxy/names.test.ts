import { expect, test } from "vitest";
import { Namer } from "../../fixtures/namer.ts";
import type { Answer } from "../../fixtures/name-answer.ts";
import { RawBackend } from "../../testing/raw-backend.ts";
import { HemiError } from "../../errors/hemi-error.ts";
import { proxyTo } from "../../testing/proxy.ts";

/** A namer that says what it is told to. */
class ToldNamer extends Namer {
  #tell: (answer: Answer) => void = () => {};
  #answer: Answer;

  constructor(answer: Answer) {
    super({ hostsFile: "" });
    this.#answer = answer;
  }

  override follow(_name: string, onChange: (answer: Answer) => void): Disposable {
    this.#tell = onChange;
    queueMicrotask(() => onChange(this.#answer));
    return { [Symbol.dispose]() {} };
  }

  tell(answer: Answer): void {
    this.#tell(answer);
  }
}

function found(...addresses: { ip?: string; port?: number; priority?: number }[]): Answer {
  return {
    addresses: addresses.map(({ ip = "127.0.0.1", port, priority = 0 }) => ({
      ip,
      family: 4,
      port,
      priority,
      weight: 0,
    })),
    isStale: false,
    error: undefined,
  };
}

const nothing: Answer = {
  addresses: [],
  isStale: false,
  error: new HemiError("HEMI_NAME", "the name cannot be looked up"),
};

test("nodes follow their name, and one that has left finishes what it has", async () => {
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { promise: came, resolve: arrive } = Promise.withResolvers<void>();
  await using a = await RawBackend.answering(async (_, conn) => {
    arrive();
    await released;
    conn.answer("a");
  });
  await using b = await RawBackend.answering((_, conn) => conn.answer("b"));
  const namer = new ToldNamer(found({ port: a.port }));
  await using proxy = await proxyTo(["_http._tcp.app.example:0"], { namer });
  const first = proxy.ask("GET /");
  await came;
  namer.tell(found({ port: b.port }));
  expect((await proxy.ask("GET /")).text).toBe("b");
  release();
  expect((await first).text).toBe("a");
  expect(await a.conns[0]?.ended()).toBe(true);
  expect(proxy.log.join()).toContain(`node ${a.address} has left`);
});

test("a name that cannot be looked up gives 503, and work begins when it can", async () => {
  await using backend = await RawBackend.answering((_, conn) => conn.answer("there"));
  const namer = new ToldNamer(nothing);
  await using proxy = await proxyTo([`app.example:${backend.port}`], { namer });
  expect((await proxy.ask("GET /")).status).toBe(503);
  expect(proxy.log.join()).toContain("no node can be used: the name cannot be looked up");
  namer.tell(found({}));
  expect((await proxy.ask("GET /")).text).toBe("there");
  namer.tell(found());
  expect((await proxy.ask("GET /")).status).toBe(503);
});

test("a node is asked for by its name where the client says no host (HTTP/1.0)", async () => {
  await using backend = await RawBackend.answering(({ lines, headers }, conn) => {
    conn.answer(`${headers["host"]} ${lines.some((line) => line.startsWith("x-forwarded-host"))}`);
  });
  const noHost = "GET / HTTP/1.0\r\n\r\n";
  const namer = new ToldNamer(found({}));
  await using named = await proxyTo([`app.example:${backend.port}`], { namer, proxy: { colonPort: ":8080" } });
  expect((await named.ask(noHost)).text).toBe(`app.example:${backend.port} false`);
  await using numbered = await proxyTo([backend.address]);
  expect((await numbered.ask(noHost)).text).toBe(`${backend.address} false`);
  await using service = await proxyTo(["_http._tcp.app.example:0"], {
    namer: new ToldNamer(found({ port: backend.port })),
  });
  expect((await service.ask(noHost)).text).toBe(`${backend.address} false`);
  await using overridden = await proxyTo([backend.address], { proxy: { hostname: "inner.example" } });
  expect((await overridden.ask(noHost)).text).toBe("inner.example false");
});

test("targets of a service with a higher priority are backups", async () => {
  await using a = await RawBackend.answering((_, conn) => conn.answer("a"));
  await using b = await RawBackend.answering((_, conn) => conn.answer("b"));
  const namer = new ToldNamer(found({ port: a.port, priority: 10 }, { port: b.port, priority: 20 }));
  await using proxy = await proxyTo(["_http._tcp.app.example:0"], { namer });
  for (let i = 0; i < 3; i++) expect((await proxy.ask("GET /")).text).toBe("a");
  await a[Symbol.asyncDispose]();
  expect((await proxy.ask("GET /")).text).toBe("b");
});

test("a proxy to itself stops at the second round", async () => {
  const namer = new ToldNamer(found({ port: 1 }));
  await using proxy = await proxyTo(["_http._tcp.app.example:0"], { namer });
  namer.tell(found({ port: proxy.port }));
  expect((await proxy.ask("GET /")).status).toBe(508);
});

test.each([
  ["127.0.0.1:0", "nothing can be reached on port 0"],
  ["_http._tcp.app.example:80", "the SRV records of a service say its ports"],
])("the node %s is refused", async (address, message) => {
  await expect(proxyTo([address])).rejects.toThrow(message);
});
