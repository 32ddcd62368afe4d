// A stand-in for the engine tells of each signal that it gets, and ends a while after the first, as a server drains.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";

const engine = `
  const got = [];
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.on(signal, () => {
      if (got.push(signal) === 1) setTimeout(() => { console.log("ends after " + got.join(" ")); process.exit(7); }, 600);
    });
  }
  setInterval(() => {}, 1000);
  console.log("ready " + process.pid);
`;

/** `supervise` in a process, and a process group, of its own; resolves when the stand-in is ready. */
async function start() {
  const supervisor = `
    import { supervise } from ${JSON.stringify(new URL("./supervise.mjs", import.meta.url).href)};
    process.exitCode = await supervise(process.execPath, ["--eval", ${JSON.stringify(engine)}]);
  `;
  const options = { stdio: ["ignore", "pipe", "inherit"], detached: true };
  const child = spawn(process.execPath, ["--input-type=module", "--eval", supervisor], options);
  const exit = once(child, "exit");
  let output = "";
  const closed = once(child.stdout, "close");
  await new Promise((resolve) => {
    child.stdout.on("data", (chunk) => {
      output += chunk;
      if (output.includes("ready")) resolve();
    });
  });
  return {
    pid: child.pid,
    /** The exit of the supervisor, and what the stand-in said until it had ended too. */
    async end() {
      const [code, signal] = await exit;
      await closed;
      return { code, signal, output: output.replace(/ready \d+\s+/, "").trim() };
    },
  };
}

test.each(["SIGINT", "SIGTERM"])("one %s reaches the program once, and its exit code is ours", async (signal) => {
  const running = await start();
  process.kill(running.pid, signal);
  expect(await running.end()).toEqual({ code: 7, signal: null, output: `ends after ${signal}` });
});

test("a Ctrl-C that comes from the terminal and through npm reaches the program once", async () => {
  const running = await start();
  process.kill(-running.pid, "SIGINT");
  process.kill(running.pid, "SIGINT");
  expect(await running.end()).toMatchObject({ code: 7, output: "ends after SIGINT" });
});

test.each(["SIGKILL", "SIGHUP"])("the program ends when %s ends us without a word", async (signal) => {
  const running = await start();
  process.kill(-running.pid, signal);
  expect(await running.end()).toEqual({ code: null, signal, output: "ends after SIGTERM" });
});

test("a program that cannot be started is an error", async () => {
  const { supervise } = await import("./supervise.mjs");
  await expect(supervise("/no/such/program", [])).rejects.toThrow("ENOENT");
});
