// Runs one program as if we were it: it ends when we are told to end, and we end as it ends.
import { spawn } from "node:child_process";
import { constants } from "node:os";

/**
 * One wish to end can reach us several times: Ctrl-C goes to every process of the terminal's group, and npm hands its
 * own copy on. To a server a second signal means "at once", so copies within this many milliseconds are taken as one.
 */
const sameWish = 300;

/** Resolves to the program's exit code, 128 and more where a signal ended it. Rejects if it cannot be started. */
export function supervise(program, args, { cwd = process.cwd() } = {}) {
  return new Promise((resolve, reject) => {
    // Before the program starts: it may be ready, and be told to end, while we are still at the lines below.
    process.on("SIGINT", handOn);
    process.on("SIGTERM", handOn);

    // If we are ended without a word (SIGKILL, or SIGHUP when the terminal goes away), this pipe closes, and the shell
    // at its end tells the program to end. It is there before the program, and is told of it at once: a program that is
    // ready is watched. We do not handle SIGHUP ourselves: then `nohup npm start` works.
    const watch = ["-c", 'read -r pid; read -r _; kill -TERM "$pid"'];
    const watchdog = spawn("sh", watch, { stdio: ["pipe", "ignore", "ignore"], detached: true });
    watchdog.stdin.on("error", () => {});

    // `detached` gives it a process group of its own: it hears of signals from us only, once each.
    const child = spawn(program, args, { cwd, stdio: ["ignore", "inherit", "inherit"], detached: true });
    watchdog.stdin.write(`${child.pid}\n`);

    let lastWish = -Infinity;
    function handOn(signal) {
      const now = performance.now();
      if (now - lastWish < sameWish) return;
      lastWish = now;
      child.kill(signal);
    }

    function settle(end) {
      process.off("SIGINT", handOn);
      process.off("SIGTERM", handOn);
      watchdog.kill("SIGKILL");
      end();
    }
    child.once("error", (error) => settle(() => reject(error)));
    child.once("exit", (code, signal) => settle(() => resolve(code ?? 128 + constants.signals[signal])));
  });
}
