// The `hemi` command.

import { runCommand } from "./run-command.ts";

/** In milliseconds. */
const patience = 1000;

const code = await runCommand(process.argv.slice(2));
process.exitCode = code;

// Components close what they open; but a forgotten timer must not keep the program running after its end.
setTimeout(() => {
  const held = process.getActiveResourcesInfo().join(", ");
  process.stderr.write(`hemi: ended, though something was not closed: ${held}\n`);
  process.exit(code);
}, patience).unref();
