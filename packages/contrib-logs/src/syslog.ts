// syslog: sends lines of logs to a receiver of syslog.

import { isIP } from "node:net";
import { hostname } from "node:os";
import type { ConnectionOptions } from "node:tls";
import {
  checkNodeTls,
  type Context,
  defineAddon,
  formatAddress,
  lineSink,
  type LineSink,
  nodeTlsOptions,
  nodeTlsProps,
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
   * 6587), which may be one of TLS (RFC 5425, usually at port 6514).
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
  ...nodeTlsProps,
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
  check(context) {
    const { props, isSet, report } = context;
    const { address, transport, tlsMode } = props;
    if ("path" in address && isSet("transport")) {
      report({ prop: "transport", message: "a UNIX socket has no transport: it is a stream" });
    }
    if (tlsMode && ("path" in address || transport === "udp")) {
      report({ prop: "tlsMode", message: "TLS needs a connection of TCP", hint: 'set .transport = "tcp"' });
    }
    checkNodeTls(context);
  },
  create: (context): Part & LineSink => new Syslog(context),
});

type SyslogProps = PropsOf<typeof props>;

class Syslog extends LineExporter {
  readonly #context: Context<SyslogProps>;
  readonly #carrier: Carrier;

  constructor(context: Context<SyslogProps>) {
    const { address, facility, appName, maxLine } = context.props;
    const sender = { facility, appName, maxLine, hostname: syslogHostname(hostname()), processId: process.pid };
    const carrier = carrierTo(context);
    super(context, {
      receiver: `syslog at ${formatAddress(address)}`,
      carrier,
      format: (line) => syslogMessage(line, sender),
    });
    this.#context = context;
    this.#carrier = carrier;
  }

  examine(): void {
    nodeTlsOptions(this.#context.props, []);
  }

  override prepare(): void {
    this.examine();
    super.prepare();
  }

  revise(next: SyslogProps, changed: ReadonlySet<string>): () => void {
    if (![...changed].some((name) => name.startsWith("tls"))) return () => {};
    nodeTlsOptions(next, []);
    return () => this.#carrier.renew?.();
  }
}

function carrierTo({ props }: Context<SyslogProps>): Carrier {
  const { address, transport } = props;
  if ("path" in address) return new StreamCarrier({ to: address, frame: countedOctets });
  const to = { host: address.host === "" ? "localhost" : address.host, port: address.port };
  if (transport === "udp") return new DatagramCarrier(to);
  // SNI has names only (RFC 6066 section 3).
  const name = isIP(to.host) === 0 ? { servername: to.host } : {};
  const tls = (): ConnectionOptions | undefined => {
    const options = nodeTlsOptions(props, []);
    return options && { ...name, ...options };
  };
  return new StreamCarrier({ to, frame: countedOctets, tls });
}
