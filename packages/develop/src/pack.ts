// The components of the prototype program.

import { pack } from "@hemi/hemi";
import { contentDigest } from "./exts/content-digest.ts";
import { memoryWatch } from "./exts/memory-watch.ts";
import { sweepFolder } from "./jobs/sweep-folder.ts";
import { daytimeServer } from "./srvs/daytime-server.ts";

export default pack("@hemi/develop", [contentDigest, memoryWatch, sweepFolder, daytimeServer]);
