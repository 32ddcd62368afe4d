// syslog: sends lines of logs to a receiver of syslog.

import { hostname } from "node:os";
import {
  type Context,
  defineAddon,
  formatAddress,
  lineSink,
  type LineSink,
  type Part,
  prop,
  type PropsOf,
} from "@hemi/internal";
import type { Carrier } from "./carriers/carrier.ts";
import { DatagramCarrier } from "./carriers/datagram-carrier.ts";
import { StreamCarrier } from "./carriers/stream-carrier.ts";
import { exporterProps } from "./exporter-props.ts";
import { LineExporter } from "./line-exporter.ts";
import { countedOctets, facilityNames, syslogHostname, syslogMessage } from "./syslog-message.ts";

const props = {
  /**
   * The receiver: `127.0.0.1:514`, or the path of a UNIX socket for streams. A UNIX socket for datagrams, such as
   * `/dev/log`, cannot be written to from Node.js: take `journald`, or let the receiver listen at an address of
   * loopback.
   */
  address: prop.address({ required: true }),
  /**
   * How messages are sent to a host: each in a datagram (RFC 5426), or over a connection with octet counting (RFC
   * 6587).
   */
  transport: prop.choice(["udp", "tcp"], { default: "udp" }),
  /** The facility of all messages. Their severities are those of the lines; lines of access logs have `info`. */
  facility: prop.choice(facilityNames, { default: "daemon" }),
  /** The name of this program, APP-NAME. */
  appName: prop.string({
    default: "hemi",
    pattern: { expression: /^[!-~]{1,48}$/, takes: "up to 48 printable ASCII characters without spaces" },
  }),
  /**
   * Longer lines are cut, in bytes. Receivers take messages of 480 bytes at least, and usually of 2,048 or more (RFC
   * 5424 section 6.1).
   */
  maxLine: prop.size({ default: "8K", min: 400, max: "60K" }),
  ...exporterProps,
};

/**
 * Sends the lines of access logs and connection logs that name it in `to`, and with `errorLog` those of the error log,
 * as messages of RFC 5424 in UTF-8. What comes while the receiver is down or slow waits, up to `maxQueue` lines;
 * requests never wait. After a broken connection, some lines may come twice; lines that were under way in the network
 * may be lost.
 */
export const syslog = defineAddon({
  sign: "syslog",
  props,
  offers: [lineSink],
  check({ props: { address }, isSet, report }) {
    if ("path" in address && isSet("transport")) {
      report({ prop: "transport", message: "a UNIX socket has no transport: it is a stream" });
    }
  },
  create: (context): Part & LineSink => {
    const { address, facility, appName, maxLine } = context.props;
    const sender = { facility, appName, maxLine, hostname: syslogHostname(hostname()), processId: process.pid };
    return new LineExporter(context, {
      receiver: `syslog at ${formatAddress(address)}`,
      carrier: carrierTo(context),
      format: (line) => syslogMessage(line, sender),
    });
  },
});

function carrierTo({ props: { address, transport } }: Context<PropsOf<typeof props>>): Carrier {
  if ("path" in address) return new StreamCarrier({ to: address, frame: countedOctets });
  const to = { host: address.host === "" ? "localhost" : address.host, port: address.port };
  return transport === "udp" ? new DatagramCarrier(to) : new StreamCarrier({ to, frame: countedOctets });
}
