// The `hemi` command.

import { runCommand } from "./run-command.ts";

/** In ms. */
const patience = 1000;

const code = await runCommand(process.argv.slice(2));
process.exitCode = code;

// Whoever opens a thing closes it; but a timer that a component forgot must not keep a program alive that was told to end.
setTimeout(() => {
  const held = process.getActiveResourcesInfo().join(", ");
  process.stderr.write(`hemi: ended, though something was not closed: ${held}\n`);
  process.exit(code);
}, patience).unref();
