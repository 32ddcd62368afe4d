// Small dealets. The default export is the pack.

import { pack } from "@hemi/internal";
import { accessDealet } from "./access-dealet.ts";
import { echoDealet } from "./echo-dealet.ts";
import { helloDealet } from "./hello-dealet.ts";
import { limitDealet } from "./limit-dealet.ts";
import { tarpitDealet } from "./tarpit-dealet.ts";

export { accessDealet, echoDealet, helloDealet, limitDealet, tarpitDealet };

export default pack("@hemi/contrib-dealets", [accessDealet, echoDealet, helloDealet, limitDealet, tarpitDealet]);
