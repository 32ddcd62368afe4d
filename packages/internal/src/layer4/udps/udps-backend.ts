// udpsBackend: a group of equal servers that are reached by datagrams.

import { defineBackend } from "../../backend/kind.ts";
import type { Part } from "../../component/part.ts";
import { checkDatagramNodes, DatagramBackend, datagramBackendProps, udpsNodes } from "./datagram-backend.ts";
import type { UdpsBackend } from "./datagram-backend.ts";
import { probeProps, probesOf } from "./probes.ts";

/** A group of equal servers that are reached by datagrams of UDP, DTLS included. */
export const udpsBackend = defineBackend({
  sign: "udpsBackend",
  props: { ...datagramBackendProps, ...probeProps },
  check(context) {
    checkDatagramNodes(context);
    if (context.props.healthCheck === "expect" && !context.isSet("healthSend")) {
      context.report({ prop: "healthCheck", message: '.healthCheck = "expect" needs .healthSend' });
    }
  },
  offers: [udpsNodes],
  create: (context): Part & UdpsBackend => new DatagramBackend(context, probesOf(context.props)),
});
