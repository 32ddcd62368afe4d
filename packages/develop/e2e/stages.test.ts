import { once } from "node:events";
import { connect, createServer } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { bootText, Listeners, MemorySink, openErrorLog, type Stage } from "@hemi/hemi";
import { expect, test } from "vitest";

function text(answer: string, port: number): string {
  return `stage {
    webapp "app" { .hostnames = ("*") rule { .returnText = "${answer}" } }
    httpxServer "main" { .webapps = ("app") .address = "127.0.0.1:${port}" }
  }`;
}

/** Test runners do not expose it; a fresh context has it once the flag is set. */
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const quietLog = openErrorLog({ sink: new MemorySink() });

async function startStage(answer: string, port: number, listeners: Listeners): Promise<Stage> {
  const stage = await bootText(text(answer, port), { listeners, log: quietLog });
  await stage.start();
  return stage;
}

/** One request on a connection of its own; rejects if it is refused or reset. */
async function ask(port: number): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n");
  const answer = Buffer.concat(await socket.toArray()).toString();
  return answer.slice(answer.indexOf("\r\n\r\n") + 4);
}

async function freePort(): Promise<number> {
  const listeners = new Listeners();
  const share = await listeners.share({ host: "127.0.0.1", port: 0 }, { stage: {}, path: "test" });
  await share.release();
  return share.port;
}

test("stages that follow each other on one port refuse no connection under load", async () => {
  const port = await freePort();
  const listeners = new Listeners();
  const answers = new Set<string>();
  let isOver = false;
  let stage = await startStage("stage 0", port, listeners);
  const load = Array.from({ length: 8 }, async () => {
    while (!isOver) answers.add(await ask(port));
  });
  for (let next = 1; next <= 10; next++) {
    const follower = await startStage(`stage ${next}`, port, listeners);
    await stage.quit();
    stage = follower;
    await ask(port);
  }
  isOver = true;
  await Promise.all(load);
  await stage.quit();
  expect(await Promise.allSettled([ask(port)])).toMatchObject([{ status: "rejected" }]);
  for (const answer of answers) expect(answer).toMatch(/^stage \d+$/);
  expect(answers.size).toBeGreaterThan(1);
});

test("a stage that cannot start leaves the one before it serving", async () => {
  const port = await freePort();
  const listeners = new Listeners();
  const stage = await startStage("unharmed", port, listeners);
  const stranger = createServer().listen(0, "127.0.0.1");
  await once(stranger, "listening");
  const taken = stranger.address();
  const server = `httpxServer "other" { .webapps = ("app") .address = "127.0.0.1:${typeof taken === "object" ? taken?.port : 0}" }`;
  const broken = await bootText(text("new", port).replace("httpxServer", `${server} httpxServer`), {
    listeners,
    log: quietLog,
  });
  await expect(broken.start()).rejects.toThrow(/httpxServer\.other could not be/);
  expect(await ask(port)).toBe("unharmed");
  stranger.close();
  await stage.quit();
});

test("a stage booted, used and quit 100 times leaves no handle and no growth", async () => {
  const handles = (): string[] =>
    process.getActiveResourcesInfo().filter((name) => !/^(?:Immediate|PipeWrap|TTYWrap|MessagePort)$/.test(name));
  const before = handles();
  const heapAfter: number[] = [];
  for (let round = 0; round < 100; round++) {
    const listeners = new Listeners();
    const stage = await startStage(`round ${round}`, 0, listeners);
    expect((await stage.inject({ url: "/" })).text).toBe(`round ${round}`);
    const part = stage.find("httpxServer.main")?.part;
    const [listensOn = ""] = part !== undefined && "listensOn" in part ? (part.listensOn as readonly string[]) : [];
    expect(await ask(Number(listensOn.split(":").at(-1)))).toBe(`round ${round}`);
    // Now and then a connection is still open, and idle, when the stage quits.
    const idle = round % 25 === 0 ? connect(Number(listensOn.split(":").at(-1)), "127.0.0.1").resume() : undefined;
    const closed = idle === undefined ? undefined : once(idle, "close");
    if (idle !== undefined) await once(idle, "connect");
    await stage.quit();
    idle?.end();
    await closed;
    if (round % 10 === 9) {
      collectGarbage();
      heapAfter.push(process.memoryUsage().heapUsed);
    }
  }
  expect(handles().filter((name) => !before.includes(name))).toEqual([]);
  // Growth by a stage of some 50 KB each would show as megabytes over the last 80 rounds.
  const growth = (heapAfter.at(-1) ?? 0) - (heapAfter[1] ?? 0);
  expect(growth).toBeLessThan(2_000_000);
});
