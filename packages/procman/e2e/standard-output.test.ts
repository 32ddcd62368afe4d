import { execFile } from "node:child_process";
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { folderWith, start } from "./command.ts";

const names = ["a", "b", "c", "d", "e"];

/** Webapps that all log to standard output, more of them than there are threads for files. */
const logged = (format: string): string => `stage {
    ${names
      .map(
        (name) => `webapp "${name}" {
        .hostnames = ("*")
        .webRoot = "."
        .accessLog = ["file": "-", "format": ${format}]
        rule $path *= "/file" { static {} }
        rule { .returnText = "hello" }
    }
    httpxServer "${name}" {
        .webapps = ("${name}")
        .address = "127.0.0.1:0"
    }`,
      )
      .join("\n    ")}
}
`;

async function portsOf(command: ReturnType<typeof start>): Promise<string[]> {
  const ports: string[] = [];
  for (const name of names) {
    const [, port = ""] = await command.line(new RegExp(`httpxServer\\.${name} listens on 127\\.0\\.0\\.1:(\\d+)`));
    ports.push(port);
  }
  return ports;
}

async function ask(port: string, path: string): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
}

/** A pipe that is full, whose reader has stopped. */
async function fullPipe(folder: string) {
  const path = join(folder, "pipe");
  await promisify(execFile)("mkfifo", [path]);
  const outlet = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const inlet = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    for (;;) writeSync(inlet, Buffer.alloc(4096));
  } catch {
    // It is full.
  }
  closeSync(inlet);
  return { inlet: openSync(path, "w"), outlet };
}

test("a reader of standard output that has stopped costs no file and no answer, and does not hold the process", async () => {
  await using folder = await folderWith({ "logged.conf": logged("$uri"), "file.txt": "a file" });
  const { inlet, outlet } = await fullPipe(folder.path);
  await using command = start(["serve", "--config", "logged.conf"], { cwd: folder.path, stdout: inlet });
  const ports = await portsOf(command);
  for (let i = 0; i < 60; i++) {
    for (const port of ports) {
      expect(await ask(port, "/hello")).toBe("hello");
      expect(await ask(port, `/file.txt?${i}`)).toBe("a file");
    }
  }
  command.child.kill("SIGTERM");
  const { code, stderr } = await command.finished();
  // Each worker reports the lines that it has lost.
  const lost = [...stderr.matchAll(/lines of the access log were lost .*count=(\d+)/g)].map(([, count]) =>
    Number(count),
  );
  expect([code, lost.reduce((sum, count) => sum + count, 0)]).toEqual([0, 2 * 60 * names.length]);
  for (const fd of [inlet, outlet]) closeSync(fd);
});

test("webapps that all log to standard output do not cut into each other's lines", async () => {
  const text = "x".repeat(100);
  await using folder = await folderWith({ "logged.conf": logged(`$uri + " ${text}"`) });
  await using command = start(["serve", "--config", "logged.conf"], { cwd: folder.path });
  const ports = await portsOf(command);
  const asked: string[] = [];
  async function askAll(port: string): Promise<void> {
    for (let i = 0; i < 100; i++) {
      const path = `/${port}/${i}`;
      await ask(port, path);
      asked.push(`${path} ${text}`);
    }
  }
  await Promise.all(ports.map(askAll));
  command.child.kill("SIGTERM");
  const { code, stdout } = await command.finished();
  expect(code).toBe(0);
  expect(stdout.trimEnd().split("\n").toSorted()).toEqual(asked.toSorted());
});
