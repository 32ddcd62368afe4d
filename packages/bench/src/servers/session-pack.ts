// Our side of the comparison of sessions: a handlet that reads the session of a client and changes it.

import { redis, redisStater } from "@hemi/contrib-redis";
import { defineHandlet, pack } from "@hemi/hemi";

const visits = defineHandlet({
  sign: "visits",
  create: () => ({
    async handle(req, resp) {
      const count = Number((await req.session.get("visits")) ?? 0) + 1;
      await req.session.set("visits", count);
      resp.send(`visit ${count}`);
      return true;
    },
  }),
});

export default pack("bench", [visits, redis, redisStater]);
