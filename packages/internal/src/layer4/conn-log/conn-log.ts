// The connection log of a router: a line for each connection, or session of datagrams, that is over.

import type { CheckContext } from "../../component/definition.ts";
import { prop } from "../../component/prop.ts";
import type { PropsOf } from "../../component/props/prop-type.ts";
import { checkLogFile, logFileProps } from "../../front/traffic-log/file-props.ts";
import { formatProp } from "../../front/traffic-log/format.ts";
import { openOutput, type LineOutput } from "../../front/traffic-log/line-output.ts";
import type { Context } from "../../stage/context.ts";
import type { ConnEndReason } from "../end-reason.ts";
import { connEntry, type LoggedConn } from "./conn-entry.ts";
import { connLogVariables } from "./conn-log-variables.ts";
import { connLineFormat, type ConnLineFormat } from "./formats.ts";

const fields = {
  ...logFileProps,
  /** `combined`, `json`, or a text with $variables: those of cases, and those in `docs/layer4.md`. */
  format: formatProp(connLogVariables)({ default: "combined" }),
};

/** Spread this into the props of a router. */
export const connLogProps = {
  /** A line for each connection that is over. Default: none. */
  connLog: prop.record(fields),
};

/** Reports combinations that are not allowed. */
export function checkConnLog(context: CheckContext<PropsOf<typeof connLogProps>>): void {
  const { connLog } = context.props;
  if (connLog !== undefined) checkLogFile(connLog, "connLog", context);
}

export class ConnLog {
  readonly #output: LineOutput;
  readonly #format: ConnLineFormat;
  readonly #clock: Context["stage"]["clock"];

  private constructor(output: LineOutput, settings: PropsOf<typeof fields>, clock: Context["stage"]["clock"]) {
    this.#output = output;
    this.#format = connLineFormat(settings.format);
    this.#clock = clock;
  }

  /** `undefined` where none is configured. Rejects with HEMI_FILE if the file cannot be opened. */
  static async open(context: Context<PropsOf<typeof connLogProps>>): Promise<ConnLog | undefined> {
    const { log, workers, stage } = context;
    const settings = context.props.connLog;
    if (settings === undefined) return undefined;
    return new ConnLog(await openOutput({ settings, log, workers }, "connLog"), settings, stage.clock);
  }

  write(conn: LoggedConn, reason: ConnEndReason): void {
    const entry = connEntry(conn, reason, this.#clock.monotonic(), this.#clock.timeOf(conn.beganAt));
    this.#output.write(this.#format, entry);
  }

  /** Continues in a new file of the same name, because the current one has been moved. */
  reopen(): void {
    this.#output.reopen();
  }

  /** Waits until all lines are written, two seconds at most. Twice is harmless. */
  close(): Promise<void> {
    return this.#output.close();
  }
}
