// The components of the site: the HTTP/3 server, and a handlet that tells by which version it was asked.

import { http3Server } from "@hemi/contrib-quic";
import { defineHandlet, pack } from "@hemi/hemi";

const tellVersion = defineHandlet({
  sign: "tellVersion",
  create: () => ({
    handle(req, resp) {
      resp.send(`HTTP/${req.version}`);
      return true;
    },
  }),
});

export default pack("http3-site", [http3Server, tellVersion]);
