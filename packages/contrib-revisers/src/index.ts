// Revisers: they change content and heads on their way. The default export is the pack.

import { pack } from "@hemi/internal";
import { gzip } from "./gzip.ts";

export { gzip };

export default pack("@hemi/contrib-revisers", [gzip]);
