// The cronjobs of the core, run by command.

import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempDisposable, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import { stageAtTime } from "../../testing/stage-at-time.ts";
import { managedCronjob } from "./managed-cronjob.ts";

async function stageOf(config: string) {
  const at = await stageAtTime(`stage { ${config} }`, []);
  return {
    ...at,
    run: async () => {
      const [job] = at.stage.offering(managedCronjob);
      return await job?.part.runNow();
    },
    [Symbol.asyncDispose]: () => at.stage.quit(100),
  };
}
const common = '.schedule = "@yearly" .maxHistory = 0';

interface Asked {
  readonly line: string;
  readonly headers: IncomingMessage["headers"];
  readonly content: string;
}

/** A server that answers with the status in the path, and not at all for `/never`. */
async function serveStatuses() {
  const asked: Asked[] = [];
  const server = createServer((req, res) => {
    void text(req).then((content) => {
      const { method = "", url = "", headers } = req;
      asked.push({ line: `${method} ${url}`, headers, content });
      if (url === "/never") return;
      const status = Number(url.slice(1));
      res.writeHead(status, status === 302 ? { location: "/200" } : {}).end("content");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    asked,
    origin: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("requestCronjob", () => {
  test("sends its method, fields and content", async () => {
    await using server = await serveStatuses();
    const more = '.method = "POST" .headers = ["x-key": "k", "content-type": "text/x"] .content = "do it"';
    await using stage = await stageOf(`requestCronjob "r" { ${common} .url = "${server.origin}/204" ${more} }`);
    expect(await stage.run()).toMatchObject({ outcome: "done" });
    const headers = { "x-key": "k", "content-type": "text/x" };
    expect(server.asked).toMatchObject([{ line: "POST /204", content: "do it", headers }]);
  });

  test.each([500, 404, 302])("fails if it is answered with %d, which is not followed", async (status) => {
    await using server = await serveStatuses();
    await using stage = await stageOf(`requestCronjob "r" { ${common} .url = "${server.origin}/${status}" }`);
    const error = `GET ${server.origin}/${status} was answered with ${status}`;
    expect(await stage.run()).toMatchObject({ outcome: "failed", error });
    expect(server.asked).toHaveLength(1);
  });

  test("is aborted if no answer comes in time", async () => {
    await using server = await serveStatuses();
    const url = `${server.origin}/never`;
    await using stage = await stageOf(`requestCronjob "r" { ${common} .url = "${url}" .timeout = 300ms }`);
    expect(await stage.run()).toMatchObject({ outcome: "aborted" });
  });

  test.each([
    ['.url = "ftp://a.example/"', "a URL of http or https"],
    ['.url = "http://a.example/" .content = "x"', "has no content"],
    ['.url = "http://a.example/" .headers = ["a b": "c"]', "a b"],
  ])("refuses { %s }", async (props, message) => {
    await expect(stageOf(`requestCronjob "r" { ${common} ${props} }`)).rejects.toThrow(message);
  });
});

describe("commandCronjob", () => {
  test("runs a program with its folder, environment and arguments as they are", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-command-"));
    const command = '.command = ("/bin/sh", "-c", `pwd; echo "$WORD $0"`, "a  $b")';
    const place = `.folder = "${folder.path}" .environment = ["WORD": "of its own"]`;
    await using stage = await stageOf(`commandCronjob "c" { ${common} ${command} ${place} }`);
    expect(await stage.run()).toMatchObject({ outcome: "done" });
    expect(stage.log.join("\n")).toContain(folder.path);
    expect(stage.log.join("\n")).toContain("of its own a  $b");
  });

  test("that is not there fails, and says so", async () => {
    await using stage = await stageOf(`commandCronjob "c" { ${common} .command = ("/no/such/program") }`);
    const failed = await stage.run();
    expect(failed?.outcome).toBe("failed");
    expect(failed?.error).toMatch(/could not be started: spawn \/no\/such\/program ENOENT/);
  });

  test("that does not heed SIGTERM is killed, with what it has started", async () => {
    const command = '.command = ("/bin/sh", "-c", "trap : TERM; while :; do sleep 1; done")';
    const times = ".timeout = 300ms .killAfter = 100ms";
    await using stage = await stageOf(`commandCronjob "c" { ${common} ${command} ${times} }`);
    expect(await stage.run()).toMatchObject({ outcome: "aborted" });
  });
});

describe("commandCronjob that is aborted", () => {
  /** Processes with this word in their command line. */
  const processesOf = async (word: string) => {
    const found: string[] = [];
    for (const pid of await readdir("/proc")) {
      if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
      const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      if (line.includes(word)) found.push(line);
    }
    return found;
  };
  const mark = () => `mark-${randomUUID()}`;

  test("leaves nothing behind that ignores SIGTERM, though the program itself has heeded it", async () => {
    const word = mark();
    const script = `(trap : TERM; while :; do sleep 0.1; done) & sleep 600`;
    const command = `.command = ("/bin/sh", "-c", ${JSON.stringify(script)}, "${word}")`;
    await using stage = await stageOf(
      `commandCronjob "c" { ${common} ${command} .timeout = 300ms .killAfter = 200ms }`,
    );
    expect(await stage.run()).toMatchObject({ outcome: "aborted" });
    expect(await processesOf(word)).toEqual([]);
  });

  test("by the end of its worker does not outlive it", async () => {
    const word = mark();
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-command-"));
    const ready = join(folder.path, "ready");
    const script = `trap : TERM; touch ${ready}; while :; do sleep 0.1; done`;
    const command = `.command = ("/bin/sh", "-c", ${JSON.stringify(script)}, "${word}")`;
    const config = `stage { commandCronjob "c" { ${common} ${command} } }`;
    const file = join(folder.path, "worker.mjs");
    await writeFile(
      file,
      `import { existsSync } from "node:fs";
      import { bootWith, managedCronjob } from ${JSON.stringify(new URL("../../index.ts", import.meta.url).href)};
      const stage = await bootWith([]).bootText(${JSON.stringify(config)});
      await stage.start();
      void stage.offering(managedCronjob)[0].part.runNow();
      setInterval(() => existsSync(${JSON.stringify(ready)}) && process.exit(7), 10);\n`,
    );
    const worker = spawn(process.execPath, ["--conditions=@hemi/source", file], { stdio: "inherit" });
    expect((await once(worker, "exit"))[0]).toBe(7);
    await expect.poll(() => processesOf(word)).toEqual([]);
  });
});

describe("moduleCronjob", () => {
  test("fails with what its function throws", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-module-"));
    const file = join(folder.path, "job.mjs");
    await writeFile(file, "export default (signal, { attempt }) => { throw new Error(`attempt ${attempt}`); };\n");
    await using stage = await stageOf(`moduleCronjob "m" { ${common} .module = "${file}" }`);
    expect(await stage.run()).toMatchObject({ outcome: "failed", error: "attempt 1" });
  });

  test("refuses a module without such a function", async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-module-"));
    const file = join(folder.path, "job.mjs");
    await writeFile(file, "export default 7;\n");
    await expect(stageOf(`moduleCronjob "m" { ${common} .module = "${file}" }`)).rejects.toThrow("no default export");
  });
});

describe("statCronjob", () => {
  const site = `webapp "w" { .hostnames = ("*") rule { .returnText = "x" } }
    httpxServer "s" { .webapps = ("w") .address = "127.0.0.1:0" }`;

  test("writes what has happened since its last line", async () => {
    await using stage = await stageOf(`${site} statCronjob "f" { ${common} }`);
    const lines = () => stage.log.filter((line) => line.includes("statCronjob.f figures"));
    for (let i = 0; i < 3; i++) await stage.stage.inject({ url: "/" });
    await stage.run();
    await stage.stage.inject({ url: "/" });
    await stage.run();
    expect(lines().map((line) => /2xx=(\d+)/.exec(line)?.[1])).toEqual(["3", "1"]);
  });

  test("pushes the metrics instead", async () => {
    await using server = await serveStatuses();
    await using stage = await stageOf(`${site} statCronjob "f" { ${common} .pushTo = "${server.origin}/200" }`);
    await stage.stage.inject({ url: "/" });
    expect(await stage.run()).toMatchObject({ outcome: "done" });
    expect(server.asked[0]?.line).toBe("PUT /200");
    expect(server.asked[0]?.content).toMatch(/^hemi_requests_total\{.*status="2xx"\} 1$/m);
  });
});

test("hemi check finds a working directory that is missing", async () => {
  await using at = await stageOf(`commandCronjob "a" { ${common} .command = ("true") .folder = "/no/such" }`);
  await expect(at.stage.examine()).rejects.toThrow("HEMI_FILE: the working directory /no/such does not exist");
});
