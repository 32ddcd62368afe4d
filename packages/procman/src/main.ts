// The `hemi` command.

import { main } from "./program.ts";

await main();
