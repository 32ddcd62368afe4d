// A proxy for MongoDB. The default export is the pack.

import { pack } from "@hemi/internal";
import { mongoProxy } from "./mongo-proxy.ts";

export { mongoProxy };

export default pack("@hemi/contrib-mongo-proxy", [mongoProxy]);
