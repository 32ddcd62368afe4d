// Apps of other frameworks as handlets. The default export is the pack.

import { pack } from "@hemi/internal";
import { fetchHandlet } from "./fetch-handlet.ts";

export { fetchHandlet, type FetchApp, type FetchEnv } from "./fetch-handlet.ts";

export default pack("@hemi/contrib-apps", [fetchHandlet]);
