// `npm start [-- ARGUMENTS]`: sets the workspace up if need be, then serves the example until it is told to end.
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { failSetup, setup } from "./setup.mjs";
import { bin, root } from "./workspace.mjs";

const welcome = ["serve", "--config", "examples/welcome/welcome.conf", "--base", "examples/welcome"];

/**
 * One wish to end can reach us several times: Ctrl-C goes to every process of the terminal's group, and npm hands its own copy on.
 * To the engine a second signal means "at once", so copies within this many milliseconds are taken as one.
 */
const sameWish = 300;

await setup().catch(failSetup);

// `detached` puts the engine into a process group of its own: it hears of signals from us only, once each.
const engine = spawn(bin("hemi"), [...welcome, ...process.argv.slice(2)], {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
  detached: true,
});

// If we are ended without a word (SIGKILL, or SIGHUP when the terminal goes away), this pipe closes, and the shell at its end tells
// the engine to end. We do not handle SIGHUP ourselves: then `nohup npm start` works.
const watch = ["-c", 'read -r _; kill -TERM "$1"', "sh", String(engine.pid)];
const watchdog = spawn("sh", watch, { stdio: ["pipe", "ignore", "ignore"], detached: true });

let lastWish = -Infinity;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    const now = performance.now();
    if (now - lastWish < sameWish) return;
    lastWish = now;
    engine.kill(signal);
  });
}

engine.on("error", (error) => {
  console.error(`The engine could not be started: ${error.message}`);
  process.exit(1);
});
engine.on("exit", (code, signal) => {
  watchdog.kill("SIGKILL");
  process.exit(code ?? 128 + constants.signals[signal]);
});
