// quicBackend: a group of equal servers of QUIC.

import {
  askByDatagram,
  checkDatagramNodes,
  DatagramBackend,
  datagramBackendProps,
  defineBackend,
  prop,
  udpsNodes,
  type Part,
  type Probe,
  type UdpsBackend,
} from "@hemi/internal";
import { versionProbe } from "./version-negotiation.ts";

const props = {
  ...datagramBackendProps,
  /**
   * Whether each node is checked at intervals. `quic` asks for the versions that it speaks (RFC 9000 6), which every
   * server of QUIC answers without a handshake. An unhealthy node gets no connections until it has recovered.
   */
  healthCheck: prop.choice(["off", "quic"], { default: "off" }),
};

/** A group of equal servers of QUIC, such as those of HTTP/3: `quicProxy` passes their clients' datagrams on. */
export const quicBackend = defineBackend({
  sign: "quicBackend",
  props,
  check: (context) => checkDatagramNodes(context),
  offers: [udpsNodes],
  create: (context): Part & UdpsBackend => new DatagramBackend(context, { quic: askForVersions }),
});

const askForVersions: Probe = (...target) => {
  const probe = versionProbe();
  return askByDatagram(probe.datagram, (bytes) => probe.isAnswer(bytes), ...target);
};
