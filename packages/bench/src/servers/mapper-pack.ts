// Our side of the mapper comparison: a handlet of one's own with 200 routes.

import { defineHandlet, Mapper, pack } from "@hemi/hemi";
import { routes } from "./routes.ts";

const mapper = new Mapper();
for (const route of routes) {
  mapper.get(route, (_req, _resp, params) => ({ id: params["id"], name: "someone", active: true }));
}

const mapped = defineHandlet({ sign: "mapped", create: () => mapper });

export default pack("bench", [mapped]);
