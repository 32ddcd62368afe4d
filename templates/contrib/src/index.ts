// Greetings. The default export is the pack.

import { pack } from "@hemi/internal";
import { hello } from "./hello.ts";

export { hello };

export default pack("@hemi/contrib-hello", [hello]);
