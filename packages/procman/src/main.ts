// The `hemi` command.

import { startAhead } from "./ahead.ts";

// Before the rest is loaded.
startAhead(process.argv.slice(2));
const { main } = await import("./program.ts");
await main();
