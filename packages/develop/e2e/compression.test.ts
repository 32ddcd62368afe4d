// Compression as real clients see it, and as nginx does it.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bootText, MemorySink, openErrorLog } from "@hemi/hemi";
import { expect, test } from "vitest";
import { freePort } from "../src/peer-process.ts";
import { peer } from "../src/peers.ts";

const page = "<p>Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.</p>\n".repeat(2000);

interface Server extends AsyncDisposable {
  readonly port: number;
}

async function serveByHemi(webRoot: string, rule: string): Promise<Server> {
  const stage = await bootText(
    `stage {
      webapp "site" { .hostnames = ("*") .webRoot = "${webRoot}" rule { ${rule} static {} } }
      httpxServer "main" { .webapps = ("site") .address = "127.0.0.1:0" }
    }`,
    { log: openErrorLog({ sink: new MemorySink() }) },
  );
  await stage.start();
  const server = stage.find("httpxServer.main")?.part;
  const listensOn = server !== undefined && "listensOn" in server ? String(server.listensOn) : "";
  return { port: Number(/:(\d+)$/.exec(listensOn)?.[1]), [Symbol.asyncDispose]: () => stage.quit() };
}

async function serveByNginx(nginx: string, webRoot: string): Promise<Server> {
  const port = await freePort();
  const conf = join(webRoot, "nginx.conf");
  await writeFile(
    conf,
    `daemon off; worker_processes 1; pid ${webRoot}/nginx.pid; error_log stderr notice; events {}
    http { access_log off; types { text/html html; }
      server { listen 127.0.0.1:${port}; root ${webRoot}; gzip on; gzip_vary on; } }`,
  );
  const child = spawn(nginx, ["-p", webRoot, "-e", "stderr", "-c", conf], { stdio: ["ignore", "ignore", "pipe"] });
  // It says so once its socket listens.
  let said = "";
  for await (const chunk of child.stderr.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    if (said.includes("start worker process ")) break;
  }
  child.stderr.resume();
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}

test("curl gets every coding that it takes, and the page that was meant", async (context) => {
  const curl = peer("curl", context);
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-compression-"));
  await writeFile(join(folder.path, "page.html"), page);
  for (const rule of ["", 'gzip { .codings = ("gzip") }', 'gzip { .codings = ("br", "gzip") }', "gzip {}"]) {
    await using server = await serveByHemi(folder.path, rule);
    const url = `http://127.0.0.1:${server.port}/page.html`;
    for (const _time of ["first", "again"]) {
      const { stdout } = await promisify(execFile)(curl, ["-q", "-sS", "--compressed", "--max-time", "10", url]);
      expect(stdout).toBe(page);
    }
  }
});

test("a file is compressed where nginx does it, with the same fields", async (context) => {
  const nginx = peer("nginx", context);
  const curl = peer("curl", context);
  await using folder = await mkdtempDisposable(join(tmpdir(), "hemi-compression-"));
  // nginx's worker is another user, where its master is root.
  await chmod(folder.path, 0o755);
  await mkdir(join(folder.path, "logs"));
  await writeFile(join(folder.path, "page.html"), page);
  await writeFile(join(folder.path, "tiny.html"), "tiny");
  await using theirs = await serveByNginx(nginx, folder.path);
  await using ours = await serveByHemi(folder.path, 'gzip { .codings = ("gzip") }');

  /** What matters of an answer, in the words of both. */
  async function ask({ port }: Server, path: string, fields: readonly string[]): Promise<unknown> {
    const args = [...fields.flatMap((field) => ["-H", field]), `http://127.0.0.1:${port}${path}`];
    const { stdout } = await promisify(execFile)(curl, [
      "-q",
      "-sS",
      "--max-time",
      "10",
      "-D",
      "-",
      "-o",
      "/dev/null",
      ...args,
    ]);
    const value = (name: string): string | undefined => new RegExp(`^${name}: (.*?)\r?$`, "im").exec(stdout)?.[1];
    return {
      status: /^HTTP\/1.1 (\d+)/.exec(stdout)?.[1],
      coding: value("content-encoding"),
      vary: value("vary")?.toLowerCase(),
      etag: value("etag")?.startsWith("W/") === true ? "weak" : "strong",
    };
  }

  for (const [path, ...fields] of [
    ["/page.html"],
    ["/page.html", "accept-encoding: gzip"],
    ["/page.html", "accept-encoding: gzip;q=0"],
    ["/page.html", "accept-encoding: gzip, deflate, br, zstd"],
    ["/page.html", "accept-encoding: identity"],
    ["/tiny.html", "accept-encoding: gzip"],
  ] as const) {
    expect(await ask(ours, path, fields), fields.join()).toEqual(await ask(theirs, path, fields));
  }
});
