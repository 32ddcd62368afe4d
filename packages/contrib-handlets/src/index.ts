// Small handlets. The default export is the pack.

import { pack } from "@hemi/internal";
import { favicon } from "./favicon.ts";

export { favicon };

export default pack("@hemi/contrib-handlets", [favicon]);
