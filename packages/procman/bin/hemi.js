#!/usr/bin/env node
// Written for any Node.js, so that an old one is told so instead of failing on syntax.

// The first of all, and to the very end: where nothing listens to SIGUSR1, Node.js opens the port of its debugger at
// it.
process.on("SIGUSR1", () => {});

const required = [24, 21];
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < required[0] || (major === required[0] && minor < required[1])) {
  console.error(`hemi: needs Node.js ${required.join(".")} or later; this is ${process.versions.node}`);
  process.exit(2);
}
import("./keep-compiled-code.js").then(({ keepCompiledCode }) => {
  keepCompiledCode();
  return import("../dist/main.js");
});
