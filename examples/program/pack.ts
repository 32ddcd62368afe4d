// All components of the program. Its workers load this module; its leader does not.

import { pack } from "@hemi/hemi";
import { readingsApp } from "./apps/readings-app.ts";
import { readingStore } from "./exts/reading-store.ts";
import { forgetReadings } from "./jobs/forget-readings.ts";
import { readingServer } from "./srvs/reading-server.ts";

export default pack("weather", [readingStore, readingServer, readingsApp, forgetReadings]);
