// The components of the site: the HTTP/3 server, a handlet that tells by which version it was asked, and a socklet that
// takes WebTransport sessions.

import { acceptWebTransport, http3Server, isWebTransport, webTransportProps } from "@hemi/contrib-quic";
import { defineHandlet, defineSocklet, pack } from "@hemi/hemi";

const tellVersion = defineHandlet({
  sign: "tellVersion",
  create: () => ({
    handle(req, resp) {
      resp.send(`HTTP/${req.version}`);
      return true;
    },
  }),
});

/** Greets on a stream of its own, and sends back what comes on streams and in datagrams. */
const echoTransport = defineSocklet({
  sign: "echoTransport",
  props: { ...webTransportProps },
  create: ({ props }) => ({
    handle(upgrade) {
      if (!isWebTransport(upgrade)) return false;
      const session = acceptWebTransport(upgrade, {
        settings: props,
        stream(stream) {
          if (stream.isBidirectional) stream.pipe(stream);
          else stream.resume();
        },
        datagram(bytes) {
          session.sendDatagram(bytes);
        },
      });
      session.openUniStream()?.end("welcome");
      return true;
    },
  }),
});

export default pack("http3-site", [http3Server, tellVersion, echoTransport]);
