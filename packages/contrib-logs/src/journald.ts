// journald: sends lines of logs to the journal of systemd.
//
// Its native protocol needs datagrams over UNIX sockets, which Node.js does not have. So lines go over the stream that
// the output of services goes over (journald-stream.c of systemd; `systemd-cat` does the same).

import { defineAddon, lineSink, type LineSink, type Part, prop } from "@hemi/internal";
import { StreamCarrier } from "./carriers/stream-carrier.ts";
import { exporterProps } from "./exporter-props.ts";
import { LineExporter } from "./line-exporter.ts";
import { oneLine } from "./one-line.ts";
import { severities } from "./syslog-message.ts";

const props = {
  /** The socket of the journal. */
  socket: prop.path({ default: "/run/systemd/journal/stdout" }),
  /** The name of this program in the journal: SYSLOG_IDENTIFIER, `journalctl -t hemi`. */
  identifier: prop.string({
    default: "hemi",
    pattern: { expression: /^[!-~]{1,48}$/, takes: "up to 48 printable ASCII characters without spaces" },
  }),
  /** Longer lines are cut, in bytes. journald itself splits lines of more than 48 KiB (its LineMax). */
  maxLine: prop.size({ default: "8K", min: 400, max: "48K" }),
  ...exporterProps,
};

/**
 * Sends the lines of access logs and connection logs that name it in `to`, and with `errorLog` those of the error log,
 * to the journal of systemd, with their priorities. What comes while the journal is away or slow waits, up to
 * `maxQueue` lines; requests never wait. Under systemd, the error log is in the journal without it, because standard
 * error is.
 */
export const journald = defineAddon({
  sign: "journald",
  props,
  offers: [lineSink],
  create: (context): Part & LineSink => {
    const { socket, identifier, maxLine } = context.props;
    return new LineExporter(context, {
      receiver: `journald at ${socket}`,
      carrier: new StreamCarrier({ to: { path: socket }, preface: streamHead(identifier), frame: withLineEnd }),
      format: (line) => Buffer.from(`<${severities[line.level]}>${oneLine(line, maxLine)}`),
    });
  },
});

/**
 * Seven lines: identifier; unit, which is found by the process; priority of lines without one; whether lines begin with
 * `<priority>`; whether they are passed to syslog, to the kernel's log, to the console.
 */
function streamHead(identifier: string): Buffer {
  return Buffer.from(`${identifier}\n\n${severities.info}\n1\n0\n0\n0\n`);
}

function withLineEnd(message: Buffer): Buffer {
  return Buffer.concat([message, lineEnd]);
}

const lineEnd = Buffer.from("\n");
