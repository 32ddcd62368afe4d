// Revisers: they transform heads and content on their way. The default export is the pack.

import { pack } from "@hemi/internal";
import { gunzip } from "./gunzip.ts";
import { gzip } from "./gzip.ts";
import { head } from "./head.ts";
import { replace } from "./replace.ts";
import { ssi } from "./ssi.ts";
import { wrap } from "./wrap.ts";

export { gunzip, gzip, head, replace, ssi, wrap };

export default pack("@hemi/contrib-revisers", [gzip, gunzip, head, wrap, replace, ssi]);
