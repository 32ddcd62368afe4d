// A handlet that takes the counting of requests out of its process when it gets its first request. The engine has no
// switch for it: this shows what counting costs.

import { defineHandlet, pack } from "@hemi/hemi";

const uncount = defineHandlet({
  sign: "uncount",
  create: () => ({
    handle(_req, resp) {
      Object.defineProperty(Object.getPrototypeOf(resp), "countFor", { value: () => undefined });
      resp.send("nothing is counted any more");
      return true;
    },
  }),
});

export default pack("bench", [uncount]);
